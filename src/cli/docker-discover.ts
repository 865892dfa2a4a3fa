#!/usr/bin/env node
import { main } from './main.js';
import { discoverProgram } from './discover-program.js';

await main(discoverProgram());
