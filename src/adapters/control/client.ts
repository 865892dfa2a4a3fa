import { request } from 'node:http';

const timeoutMs = 10_000;

/** What the daemon that runs here says of itself, as JSON. @throws where none answers, with what to do */
export async function askStatus(socketPath: string): Promise<unknown> {
  const { status, body } = await ask(socketPath, '/status');
  if (status !== 200) throw new Error(`the daemon could not tell its status: ${JSON.stringify(body)}`);
  return body;
}

/** Whether the daemon that runs here is ready, and in a few words how it is. @throws where none answers, with what to do */
export async function askReady(socketPath: string): Promise<{ readonly isReady: boolean; readonly text: string }> {
  const { body } = await ask(socketPath, '/readyz');
  return body as { isReady: boolean; text: string };
}

function ask(socketPath: string, path: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
      });
    });
    asking.on('timeout', () => {
      asking.destroy(new Error(`no answer in ${String(timeoutMs / 1000)}s`));
    });
    asking.on('error', (error) => {
      reject(
        new Error(
          `the daemon does not answer at ${socketPath} (${error.message}); does it run here, with the same --run-dir?`,
          { cause: error },
        ),
      );
    });
    asking.end();
  });
}
