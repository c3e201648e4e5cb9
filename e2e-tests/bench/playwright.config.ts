// What the screens cost, measured in the same browser as the stories run in. Not part of the tests: figures of one machine
// are no verdict. `make bench-ui` prints them.
import base from '../playwright.config.ts';

export default {
  ...base,
  testDir: '.',
  outputDir: '../test-results/bench',
  timeout: 600_000,
  reporter: [['list'], ['./table.ts']],
  use: { ...base.use, trace: 'off' },
};
