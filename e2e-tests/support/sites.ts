// The web server of every fake machine, controlled by a story: it answers for LMS and Studio, one of them fails, or it is
// stopped.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Sites {
  private server: Server | undefined;
  private port = 0;
  private readonly failing = new Set<string>();

  static async start(): Promise<Sites> {
    const sites = new Sites();
    await sites.resume();
    return sites;
  }

  /** The value of OCIM_FAKE_HTTP. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** From now on requests for this host name get 503. */
  fail(host: string): void {
    this.failing.add(host);
  }

  /** From now on requests for every host name get 200. */
  mend(): void {
    this.failing.clear();
  }

  /** Stops the web server: its port is closed. */
  async stop(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  /** Starts it again at the same address. */
  async resume(): Promise<void> {
    const server = createServer((request, response) => {
      const host = request.headers.host?.replace(/:\d+$/, '') ?? '';
      response.statusCode = this.failing.has(host) ? 503 : 200;
      response.end(host);
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }
}
