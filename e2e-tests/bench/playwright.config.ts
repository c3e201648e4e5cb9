// Benchmarks of the screens, in the same browser as the stories. Not part of the tests: figures of a single machine are not
// conclusive. `make bench-ui` prints them.
import base from '../playwright.config.ts';

export default {
  ...base,
  testDir: '.',
  outputDir: '../test-results/bench',
  timeout: 600_000,
  reporter: [['list'], ['./table.ts']],
  use: { ...base.use, trace: 'off' },
};
