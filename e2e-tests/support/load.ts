// Visitors: a steady rate of requests through the gateway over persistent connections, independent of response times. Every
// response other than 200 counts as failed, with its reason; bodies are kept with their time, so that a story can tell
// which app server answered when.
import { Agent, get } from 'node:http';

const REQUESTS_PER_SECOND = 200;
const CONNECTIONS = 16;
const ANSWERED_WITHIN_MS = 10_000;
const TICK_MS = 5;

interface Answer {
  host: string;
  /** When the response was complete, in milliseconds as of Date.now(). */
  at: number;
  body: string;
}

export interface LoadResult {
  ok: number;
  failed: number;
  /** The count of each reason, like “studio.demo.localhost: status 503”. */
  reasons: Record<string, number>;
  /** The rate that was really reached. */
  perSecond: number;
}

export class Load {
  // First in, first out: each connection is used in turn, so none idles until the gateway closes it.
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'fifo' });
  private readonly answers: Answer[] = [];
  private readonly reasons: Record<string, number> = {};
  // The same few bodies arrive thousands of times: each is kept once.
  private readonly bodies = new Map<string, string>();
  private readonly underWay = new Set<Promise<void>>();
  private sent = 0;
  private began = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly gatewayPort: number,
    private readonly hosts: readonly string[],
  ) {}

  start(): void {
    this.began = Date.now();
    this.timer = setInterval(() => this.sendWhatIsDue(), TICK_MS);
  }

  async stop(): Promise<LoadResult> {
    clearInterval(this.timer);
    const seconds = (Date.now() - this.began) / 1000;
    await Promise.all(this.underWay);
    this.agent.destroy();
    const failed = Object.values(this.reasons).reduce((sum, count) => sum + count, 0);
    return { ok: this.answers.length, failed, reasons: this.reasons, perSecond: this.answers.length / seconds };
  }

  /** The distinct bodies that a host returned in [from, to). */
  pages(host: string, from: number, to = Number.POSITIVE_INFINITY): Set<string> {
    return new Set(this.between(host, from, to).map((answer) => answer.body));
  }

  count(host: string, from: number): number {
    return this.between(host, from, Number.POSITIVE_INFINITY).length;
  }

  private between(host: string, from: number, to: number): Answer[] {
    return this.answers.filter((answer) => answer.host === host && answer.at >= from && answer.at < to);
  }

  private sendWhatIsDue(): void {
    const due = Math.floor(((Date.now() - this.began) / 1000) * REQUESTS_PER_SECOND);
    for (; this.sent < due; this.sent += 1) {
      const host = this.hosts[this.sent % this.hosts.length];
      if (host === undefined) return;
      const one = this.request(host);
      this.underWay.add(one);
      void one.finally(() => this.underWay.delete(one));
    }
  }

  /** Never rejects: errors are counted. */
  private async request(host: string): Promise<void> {
    try {
      const { status, body } = await this.fetch(host);
      if (status === 200) this.answers.push({ host, at: Date.now(), body: this.once(body) });
      else this.fail(`${host}: status ${status}`);
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      this.fail(`${host}: ${code ?? name}`);
    }
  }

  private fetch(host: string): Promise<{ status: number | undefined; body: string }> {
    const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
    const options = { agent: this.agent, host: '127.0.0.1', port: this.gatewayPort, path: '/', headers: { Host: host }, signal };
    return new Promise((resolve, reject) => {
      const request = get(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      request.on('error', reject);
    });
  }

  private once(body: string): string {
    const known = this.bodies.get(body);
    if (known !== undefined) return known;
    this.bodies.set(body, body);
    return body;
  }

  private fail(reason: string): void {
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
  }
}
