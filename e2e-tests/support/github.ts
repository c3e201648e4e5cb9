// The fake GitHub (api/examples/fake_github.rs), on a free port. `cargo build --example fake_github` builds it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Program } from './program.ts';

interface Delivery {
  headers: [string, string][];
  body: string;
}

export class Github {
  private constructor(
    /** The value of GITHUB_API_URL. */
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Github> {
    const binary = resolve(import.meta.dirname, '../../target/debug/examples/fake_github');
    if (!existsSync(binary)) throw new Error('there is no GitHub: run `cargo build --example fake_github` first');
    const child = spawn(binary, [], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const url = await Promise.race([
      once(lines, 'line').then(([line]) => line as string),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the GitHub ended with ${code}`);
      }),
    ]);
    return new Github(url, child);
  }

  /** Sends one of the commands of api/tests/app/github/control.rs. */
  async order(verb: string, what: object = {}): Promise<unknown> {
    const answer = await fetch(`${this.url}/_control/${verb}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(what),
    });
    if (!answer.ok) throw new Error(`${verb}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Sends the program a signed webhook of a pull request, as GitHub does after a change. */
  async deliver(program: Program, repository: string, number: number, action: string): Promise<void> {
    const delivery = (await this.order('payload', { repository, number, text: action })) as Delivery;
    const answer = await fetch(`${program.url}/api/v1/webhooks/github`, { method: 'POST', ...delivery });
    if (!answer.ok) throw new Error(`the webhook «${action}»: ${answer.status} ${await answer.text()}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
