// The stories that walk through every screen: accessibility in both themes, the focus, touch targets. `make test-screens`.
import base, { EVERY_SCREEN } from './playwright.config.ts';

const { grepInvert: _, ...rest } = base;

export default { ...rest, grep: EVERY_SCREEN };
