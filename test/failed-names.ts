import type { Reporter, TestModule } from 'vitest/node';

/** Says at the very end which tests failed, and why in one line: of a long log often no more than its end is kept. */
export default class FailedNames implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => [
      ...[module, ...module.children.allSuites()].flatMap((suite) =>
        suite.errors().map(({ message }) => lineOf(module.relativeModuleId, message)),
      ),
      ...[...module.children.allTests('failed')].map((test) =>
        lineOf(`${module.relativeModuleId} > ${test.fullName}`, test.result().errors?.[0]?.message ?? ''),
      ),
    ]);
    if (lines.length > 0) process.on('exit', () => void process.stderr.write(`\nfailed:\n${lines.join('\n')}\n`));
  }
}

function lineOf(name: string, message: string): string {
  return `  ${name}: ${message.slice(0, 300).replaceAll(/\s+/g, ' ')}`;
}
