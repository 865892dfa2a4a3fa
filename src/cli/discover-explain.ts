import type { Command } from 'commander';
import { askStatus } from '../adapters/control/client.js';
import type { DiscoverStatus, EndpointStatus } from '../core/discover-status.js';
import { isServed } from '../core/haproxy/client-policy.js';
import { serviceExplanationOf, type ServiceExplanation } from '../core/service-explanation.js';
import { inAscii } from '../core/result.js';
import { parseServiceName } from '../core/service.js';
import { asciiJson } from './discover-ls.js';
import { controlSocketOf } from './discover-run.js';
import type { DiscoverSettings } from './discover-settings.js';
import { by } from './options.js';
import { paintFor, paintedStatus, type Paint } from './paint.js';
import { policyOf } from './policy-settings.js';
import { formatTable } from './table.js';

/** `explain SERVICE`: what this host makes of it, and why something is missing. */
export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .allowExcessArguments(false)
    .description('tell of each endpoint of a service where it comes from and how it is, and why something is missing')
    .argument('<service>', 'its name', by(parseServiceName))
    .option('--json', 'as JSON')
    .action(async (service: string, _options, command: Command) => {
      const settings = command.optsWithGlobals<DiscoverSettings & { json?: boolean }>();
      const { prefix, runDir, json } = settings;
      const status = (await askStatus(controlSocketOf(runDir))) as DiscoverStatus;
      const explanation = serviceExplanationOf(status, {
        service,
        prefix,
        isWanted: isServed(policyOf(settings), service),
      });
      process.stdout.write(
        json === true
          ? `${asciiJson(explanation)}\n`
          : explanationText(explanation, paintFor(process.stdout, process.env)),
      );
    });
}

export function explanationText({ service, listeners, reasons }: ServiceExplanation, paint: Paint): string {
  const parts = listeners.map(({ port, routes, check, endpoints }) => {
    const where = [...(port === null ? [] : [`port ${String(port)}`]), ...routes.map((route) => `route ${route}`)];
    const rows = endpoints.map((endpoint) => [
      endpoint.key,
      endpoint.address,
      paintedStatus(paint, endpoint, stateOf(endpoint)),
      inAscii(endpoint.checkText),
    ]);
    const table = rows.length === 0 ? '' : formatTable(['KEY', 'ADDRESS', 'STATE', 'LAST CHECK'], rows, paint);
    const how = check === null ? '' : `${check.text}\n`;
    return `${service}: ${where.join(', ')}\n${how}${table}`;
  });
  if (listeners.length === 0) parts.push(`${paint('bad', `${service} is not served on this host`)}\n`);
  if (reasons.length > 0) parts.push(reasons.map((reason) => `- ${inAscii(reason)}\n`).join(''));
  return parts.join('\n');
}

function stateOf({ status, sinceSeconds, stale, weight, sessions }: EndpointStatus): string {
  const words = [
    `${status}${sinceSeconds === null ? '' : ` for ${String(sinceSeconds)}s`}`,
    ...(stale ? ['stale'] : []),
    ...(weight === 1 ? [] : [`weight ${String(weight)}`]),
    `${String(sessions)} sessions`,
  ];
  return words.join(', ');
}
