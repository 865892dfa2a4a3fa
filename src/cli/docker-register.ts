#!/usr/bin/env node
import { main } from './main.js';
import { registerProgram } from './register-program.js';

await main(registerProgram());
