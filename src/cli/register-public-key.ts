import type { Command } from 'commander';
import { hostIpMissing } from './host-ip.js';
import { required } from './main.js';
import type { RegisterSettings } from './register-settings.js';
import { signingOf } from './signing-key.js';

/** `public-key`: the line of this host for the lists of the client hosts. */
export function addPublicKeyCommand(program: Command): void {
  program
    .command('public-key')
    .allowExcessArguments(false)
    .description('print HOST_IP and the public key of SIGNING_KEY_FILE: the line of this host for SIGNERS_FILE')
    .action(async (_options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings>();
      const { ip } = required(settings.hostIp, hostIpMissing());
      const key = required(
        (await signingOf(settings)).key() ?? undefined,
        'SIGNING_KEY_FILE is not set: give the file that openssl genpkey -algorithm ed25519 -out FILE wrote',
      );
      process.stdout.write(`${ip} ${key.publicKey}\n`);
    });
}
