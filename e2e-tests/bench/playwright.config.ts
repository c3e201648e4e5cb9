// What the screens cost, measured in the same browser as the stories run in. Not part of the tests: figures of one machine
// are no verdict. `npx playwright test --config bench` prints them.
import base from '../playwright.config.ts';

export default { ...base, testDir: '.', outputDir: '../test-results/bench', timeout: 600_000 };
