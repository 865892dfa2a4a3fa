import type { Command } from 'commander';
import { required } from './main.js';
import type { RegisterSettings } from './register-settings.js';
import { signingOf } from './signing-key.js';

/** What `SIGNERS_FILE` does not take for an address, so that nobody forgets it. */
const addressMissing = 'ADDRESS';

/** `public-key`: the line of this host for the lists of the client hosts. */
export function addPublicKeyCommand(program: Command): void {
  program
    .command('public-key')
    .allowExcessArguments(false)
    .description(
      'print the line of this host for SIGNERS_FILE: HOST_IP, or ADDRESS where it is not set, and the public key of SIGNING_KEY_FILE',
    )
    .action(async (_options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings>();
      const key = required(
        (await signingOf(settings)).key() ?? undefined,
        'SIGNING_KEY_FILE is not set: give the file that openssl genpkey -algorithm ed25519 -out FILE wrote',
      );
      // The address is for who writes the list: the key may be made on a machine that is not the host.
      process.stdout.write(`${settings.hostIp?.ip ?? addressMissing} ${key.publicKey}\n`);
    });
}
