// The table at the end, one line per figure. An exceeded limit, like a failed test, ends the run with 1.
import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { type Figure, figures, isWithin, line } from './figures.ts';

export default class Table implements Reporter {
  private readonly all: Figure[] = [];

  onTestEnd(_: TestCase, result: TestResult): void {
    this.all.push(...figures(result.annotations));
  }

  async onEnd(result: FullResult): Promise<{ status: FullResult['status'] }> {
    console.log(`\n${this.all.map(line).join('\n')}\n`);
    return { status: this.all.every(isWithin) ? result.status : 'failed' };
  }
}
