// The measurements and their limits. The figures are attached to the tests' results; `table.ts` prints them at the end.
import { test } from '@playwright/test';

const FIGURE = 'figure';

export interface Figure {
  what: string;
  value: number;
  unit: string;
  atMost?: number;
  atLeast?: number;
}

/** Records a figure for the table. */
export function note(figure: Figure): void {
  test.info().annotations.push({ type: FIGURE, description: JSON.stringify(figure) });
}

export function figures(annotations: readonly { type: string; description?: string }[]): Figure[] {
  const kept = annotations.filter((annotation) => annotation.type === FIGURE);
  return kept.map((annotation) => JSON.parse(annotation.description ?? '') as Figure);
}

export function isWithin({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean {
  return value <= atMost && value >= atLeast;
}

export function line(figure: Figure): string {
  const { what, value, unit, atMost, atLeast } = figure;
  const limits = [atMost === undefined ? '' : `at most ${atMost}`, atLeast === undefined ? '' : `at least ${atLeast}`];
  const limit = limits.filter(Boolean).join(', ');
  const verdict = limit === '' ? '' : `(${limit}) ${isWithin(figure) ? '✓' : '✗'}`;
  return `${what.padEnd(60, ' .')} ${value.toFixed(1).padStart(9)} ${unit.padEnd(4)} ${verdict}`.trimEnd();
}
