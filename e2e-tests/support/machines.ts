// What a program's machines consist of on this host: directories, interfaces, namespaces, processes, mounts.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './program.ts';

const INTERFACES = '/sys/class/net';
const NAMESPACES = '/run/netns';

export class Machines {
  /** The namespaces of all machines ever seen: a process may outlive the name of its namespace. */
  private readonly namespaces = new Map<string, string>();

  constructor(private readonly program: Program) {}

  /** Everything of the machines that exists now, each with its kind. */
  traces(): string[] {
    const directory = join(this.program.dataDirectory, 'machines');
    const { id } = JSON.parse(readFileSync(join(directory, 'site.json'), 'utf8')) as { id: string };
    const named = (parent: string) => list(parent).filter((name) => name.startsWith(`ocim${id}`));
    for (const name of named(NAMESPACES)) {
      const inode = attempt(() => statSync(join(NAMESPACES, name)).ino);
      if (inode !== undefined) this.namespaces.set(`net:[${inode}]`, name);
    }
    const directories = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return [
      ...directories.map((entry) => `directory ${entry.name}`),
      ...named(INTERFACES).map((name) => `interface ${name}`),
      ...named(NAMESPACES).map((name) => `namespace ${name}`),
      ...list('/proc').flatMap((pid) => this.inside(pid)),
      ...mounts.filter((line) => line.includes(directory) || line.includes(`ocim${id}`)).map((line) => `mount ${line}`),
    ];
  }

  /** How a process belongs to a machine; empty if it does not, or has ended meanwhile. */
  private inside(pid: string): string[] {
    if (!/^\d+$/.test(pid)) return [];
    const namespace = this.namespaces.get(attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) ?? '');
    if (namespace === undefined) return [];
    const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim());
    return words === undefined ? [] : [`process ${pid} in ${namespace}: ${words}`];
  }
}

/** The names in a directory; empty if the directory does not exist. */
function list(directory: string): string[] {
  return attempt(() => readdirSync(directory)) ?? [];
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
