// A client of the REST API, signed in as an administrator: stories use it to set up data and to check results.
import type { Program } from './program.ts';

export interface Instance {
  id: number;
  name: string;
  active_appserver: { id: number; name: string } | null;
  newest_appserver: { id: number; name: string; status: string } | null;
}

export interface AppServer {
  id: number;
  instance_id: number;
  name: string;
  status: string;
  serving: string;
}

export class Api {
  private constructor(
    private readonly url: string,
    private readonly cookie: string,
  ) {}

  static async signIn(program: Program, username = program.username, password = program.password): Promise<Api> {
    const answer = await send(program.url, 'POST', '/auth/login', { username, password });
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]);
    return new Api(program.url, cookies.join('; '));
  }

  get<T>(path: string): Promise<T> {
    return this.ask('GET', path);
  }

  post<T>(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<T> {
    return this.ask('POST', path, body, headers);
  }

  put<T>(path: string, body: object = {}): Promise<T> {
    return this.ask('PUT', path, body);
  }

  remove<T>(path: string): Promise<T> {
    return this.ask('DELETE', path);
  }

  /** Changes an instance's settings, with the current ETag. */
  change(instance: number, settings: object): Promise<Instance> {
    return this.patch(`/instances/${instance}`, settings);
  }

  /** Changes what is at the path, with its current ETag. */
  async patch<T>(path: string, change: object): Promise<T> {
    const read = await send(this.url, 'GET', path, undefined, { Cookie: this.cookie });
    return this.ask('PATCH', path, change, { 'If-Match': read.headers.get('etag') ?? '' });
  }

  create(name: string, subDomain: string, settings: object = {}): Promise<Instance> {
    return this.post('/instances', { name, sub_domain: subDomain, ...settings });
  }

  /** Launches an app server; its status is `new` or a later one when this returns. */
  launch(instance: number, how: object = {}): Promise<AppServer> {
    return this.post(`/instances/${instance}/app-servers`, how);
  }

  /** Launches one and waits until its build has ended, with any result. */
  async build(instance: number, how: object = {}): Promise<AppServer> {
    return this.post(`/instances/${instance}/app-servers`, how, { Prefer: 'wait=60' });
  }

  /** Activates an app server, and waits until the gateway has applied it. */
  activate(appServer: number, how: object = {}): Promise<unknown> {
    return this.post(`/app-servers/${appServer}/activate`, how, { Prefer: 'wait=20' });
  }

  private async ask<T>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
    const answer = await send(this.url, method, path, body, { Cookie: this.cookie, ...headers });
    const text = await answer.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}

async function send(
  url: string,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Origin: url, 'Sec-Fetch-Site': 'same-origin', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
