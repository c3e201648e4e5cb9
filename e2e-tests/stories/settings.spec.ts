// The settings of an instance: checked while typing and by the server, shown before they are saved, deployed by a launch. Typed
// text is never lost, neither by leaving the page nor by another user who saves in between.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

const EXTRA = ['# What learners see', 'EDXAPP_FEATURES:', '  ENABLE_NOTES: true', '  PASSWORD: "first"', 'EDXAPP_LIMIT: 5', ''];
const ADA = { username: 'ada', password: 'correct horse battery staple too' };

interface Saved {
  email: string;
  openedx_release: string;
  tier: string;
  github_admin_organization_name: string;
  configuration_extra_settings: string;
}

test('settings are checked, compared, saved and deployed', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await api.create('Astronomy Academy', 'astro', { configuration_extra_settings: EXTRA.join('\n') });
  await api.activate((await api.build(instance.id)).id);
  await page.goto(`/instances/${instance.id}/settings`);
  await signIn(page, program);
  const email = page.getByLabel('Contact e-mail');
  const extra = page.getByLabel('Extra settings');

  await test.step('a field that is not valid says so while typing, and gets the focus instead of the dialog', async () => {
    await email.fill('ada');
    await expect(said(page, 'email')).toHaveText('Must be a mail address, like contact@example.com.');
    await page.getByLabel('Subdomain').fill('Astro');
    await save(page).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page.getByLabel('Subdomain')).toBeFocused();
    await page.getByLabel('Subdomain').fill('astro');
    await save(page).click();
    await expect(email).toBeFocused();
    await expect(email).toHaveAttribute('aria-invalid', 'true');
    await email.fill('stars@campus.example');
  });

  await test.step('YAML that is not valid names its line, which is marked and gets the caret', async () => {
    const shown = await extra.inputValue();
    await extra.fill(`${shown}A:\n  B: 1\n C: yes\n`);
    await expect(said(page, 'configuration_extra_settings')).toContainText(/^Line \d+, column \d+: /);
    const line = Number(/\d+/.exec(await said(page, 'configuration_extra_settings').innerText())?.[0]);
    await expect(drawn(page).locator('.bad')).toHaveCount(1);
    await expect(page.locator('.numbers .bad')).toHaveText(String(line));
    await page.getByLabel('Name', { exact: true }).focus();
    await save(page).click();
    await expect(extra).toBeFocused();
    expect(await lineOfCaret(extra)).toBe(line);
    await picture(page, 'settings-yaml');
    await page.setViewportSize({ width: 360, height: 800 });
    await said(page, 'configuration_extra_settings').scrollIntoViewIfNeeded();
    await picture(page, 'settings-yaml-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    await extra.fill(`${shown}A:\n  B: 1\n  C: yes\n`);
    await expect(said(page, 'configuration_extra_settings')).toBeEmpty();
    await expect(drawn(page).locator('.bad')).toHaveCount(0);
  });

  await test.step('the editor is coloured, and Tab goes on to its lock and the next field', async () => {
    await expect(drawn(page).locator('.key').filter({ hasText: 'EDXAPP_LIMIT:' })).toBeVisible();
    await expect(drawn(page).locator('.value').filter({ hasText: 'yes' })).toBeVisible();
    await expect(drawn(page).locator('.secret')).toHaveText('••••••');
    expect(await drawn(page).innerText()).toContain('ENABLE_NOTES: true');
    const font = (node: Element) => {
      const { fontFamily, fontSize, lineHeight } = getComputedStyle(node);
      return `${fontSize} ${lineHeight} ${fontFamily}`;
    };
    expect(await drawn(page).locator('.line').first().evaluate(font)).toBe(await extra.evaluate(font));
    expect(await extra.evaluate(font)).toContain('JetBrains Mono');
    const before = await extra.inputValue();
    await extra.press('Control+End');
    await extra.press('Tab');
    await expect(lock(page, 'Mark C as secret')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(page.getByLabel('Ephemeral databases')).toBeFocused();
    expect(await extra.inputValue()).toBe(before);
  });

  await test.step('warnings are shown while typing, with their line, and do not prevent saving', async () => {
    const right = await extra.inputValue();
    const advice = page.locator('#field-configuration_extra_settings-advice');
    await expect(advice).toBeEmpty();
    await extra.fill(`${right}MY-VAR: 1\nEDXAPP_LMS_BASE: elsewhere.example\n`);
    await expect(advice.getByRole('listitem')).toHaveCount(2);
    await expect(advice).toContainText('Ansible ignores the variable MY-VAR');
    await expect(advice).toContainText('elsewhere.example, which is not routed');
    await expect(extra).not.toHaveAttribute('aria-invalid', 'true');
    const line = await advice.getByRole('button').first().innerText();
    await advice.getByRole('button').first().click();
    await expect(extra).toBeFocused();
    expect(`Line ${await lineOfCaret(extra)}`).toBe(line);
    await extra.fill(right);
    await expect(advice).toBeEmpty();
  });

  await test.step('the lock marks the variable at the caret as secret, by keyboard too', async () => {
    const right = await extra.inputValue();
    await extra.press('Control+End');
    await lock(page, 'Mark C as secret').press('Space');
    await expect(extra).toHaveValue(/C: !secret yes/);
    await expect(drawn(page).locator('.secret').filter({ hasText: '!secret' })).toBeVisible();
    await lock(page, 'Make C readable').click();
    await expect(extra).toHaveValue(right);
  });

  await test.step('an error that only the server finds is shown at its field, too', async () => {
    const right = await extra.inputValue();
    await extra.fill(`${right}OTHER_TOKEN: "••••••"\n`);
    await save(page).click();
    await page.getByRole('dialog', { name: 'Save these changes?' }).getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(said(page, 'configuration_extra_settings')).toContainText('stands for a secret that is not stored');
    await expect(extra).toBeFocused();
    await extra.fill(right.replace('EDXAPP_LIMIT: 5', 'EDXAPP_LIMIT: 6'));
    await expect(said(page, 'configuration_extra_settings')).toBeEmpty();
  });

  await test.step('the changes are shown before they are saved', async () => {
    await save(page).click();
    const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
    await expect(dialog).toContainText('stars@campus.example');
    await expect(dialog).toContainText('EDXAPP_LIMIT');
    await expect(dialog).not.toContainText('ENABLE_NOTES');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Settings saved. Launch a new AppServer to apply them.')).toBeVisible();
    await expect(save(page)).toBeDisabled();
  });

  await test.step('changes that are not deployed are counted and compared, with a secret among them', async () => {
    await expect(pending(page)).toContainText('2 undeployed changes since AppServer 1. Launch an app server to apply them.');
    await pending(page).getByRole('button', { name: 'Show' }).click();
    const diff = page.locator('.below-notice');
    await expect(diff).toContainText('EDXAPP_LIMIT');
    const shown = await extra.inputValue();
    await extra.fill(shown.replace('"••••••"', '"second"'));
    await save(page).click();
    const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
    await expect(dialog).not.toContainText('second');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(diff).toContainText('EDXAPP_FEATURES.PASSWORD');
    await expect(page.locator('.toast')).toBeVisible();
    await page.locator('.toast').getByRole('button').click();
    await picture(page, 'settings');
  });

  await test.step('a launch from the notice and its activation deploy them', async () => {
    await pending(page).getByRole('button', { name: 'Launch new AppServer' }).click();
    await expect(page.getByRole('heading', { name: 'AppServer 2' })).toBeVisible();
    await page.getByRole('link', { name: /^Settings/ }).click();
    await expect(pending(page)).toContainText('2 undeployed changes since AppServer 1. AppServer 2 includes them: activate it when it is ready.');
    const launched = async () => (await api.get<{ newest_appserver: { id: number; status: string } }>(`/instances/${instance.id}`)).newest_appserver;
    await expect.poll(async () => (await launched()).status, { timeout: 60_000 }).toBe('running');
    await api.activate((await launched()).id);
    await expect(pending(page)).toHaveCount(0);
  });
});

test('typed text is kept until it is saved or discarded', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await api.create('Botany Academy', 'botany');
  await page.goto(`/instances/${instance.id}/settings`);
  await signIn(page, program);
  const email = page.getByLabel('Contact e-mail');
  const tab = page.getByRole('navigation', { name: 'Instance', exact: true }).getByRole('link', { name: /^Settings/ });

  await test.step('it is there again after leaving the page', async () => {
    await email.fill('leaves@campus.example');
    await expect(tab).toContainText('unsaved');
    await page.getByRole('link', { name: 'Log', exact: true }).click();
    await expect(page.getByText('What you typed in the settings of Botany Academy is kept')).toBeVisible();
    await expect(tab).toContainText('unsaved');
    await page.getByRole('link', { name: 'OpenCraft Instance Manager' }).click();
    await page.goBack();
    await tab.click();
    await expect(email).toHaveValue('leaves@campus.example');
  });

  await test.step('the browser asks before it discards the text', async () => {
    const asked = page.waitForEvent('dialog');
    const leaving = page.evaluate(() => location.reload());
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await leaving;
    await expect(email).toHaveValue('leaves@campus.example');
  });

  await test.step('after discarding, the browser does not ask', async () => {
    await page.getByRole('button', { name: 'Discard' }).click();
    await expect(tab).not.toContainText('unsaved');
    await page.reload();
    await expect(email).not.toHaveValue('leaves@campus.example');
  });

  await test.step('of a text of two thousand lines only the visible part is drawn', async () => {
    const extra = page.getByLabel('Extra settings');
    const lines = Array.from({ length: 2_000 }, (_, at) => `SETTING_${at}: "${at}" # why`);
    // Set in one step, like a paste: typing it would cause two thousand input events.
    await extra.evaluate((node: HTMLTextAreaElement, text) => {
      node.value = text;
      node.dispatchEvent(new Event('input', { bubbles: true }));
    }, lines.join('\n'));
    await extra.press('Control+End');
    await expect(drawn(page).locator('.line').last()).toHaveText('SETTING_1999: "1999" # why');
    expect(await drawn(page).locator('.line').count()).toBeLessThan(60);
    await extra.pressSequentially('# forty letters typed one after another!');
    await expect(drawn(page).locator('.line').last()).toContainText('forty letters typed one after another!');
    await expect.poll(() => scrolledAlike(extra)).toBe(true);
  });
});

test('two people change the same settings, and nothing is lost', async ({ page, program, browser }) => {
  const api = await Api.signIn(program);
  await api.post('/users', { ...ADA, role: 'operator' });
  const instance = await api.create('Chemistry Academy', 'chemistry', { configuration_extra_settings: EXTRA.join('\n') });
  const now = () => api.get<Saved>(`/instances/${instance.id}`);
  const context = await browser.newContext({ baseURL: program.url });
  const hers = await context.newPage();
  for (const [one, who] of [[page, program], [hers, ADA]] as const) {
    await one.goto(`${program.url}/instances/${instance.id}/settings`);
    await signIn(one, who);
  }
  const mine = (label: string) => page.getByLabel(label, { exact: true });
  const clash = (label: string) => page.getByRole('group', { name: `Both changed: ${label}` });

  await test.step('both type; she saves first', async () => {
    await mine('Contact e-mail').fill('mine@campus.example');
    await mine('Open edX release').fill('open-release/mine.1');
    await mine('GitHub admin organization').fill('mine');
    await mine('Extra settings').fill((await mine('Extra settings').inputValue()).replace('EDXAPP_LIMIT: 5', 'EDXAPP_LIMIT: 50'));
    await hers.getByLabel('Contact e-mail').fill('hers@campus.example');
    await hers.getByLabel('Open edX release').fill('open-release/hers.1');
    await hers.getByLabel('Tier').selectOption('preview');
    const extra = hers.getByLabel('Extra settings');
    await extra.fill((await extra.inputValue()).replace('ENABLE_NOTES: true', 'ENABLE_NOTES: false'));
    await saveAll(hers);
  });

  await test.step('I am shown who changed what, and what I typed stays', async () => {
    const notice = page.getByRole('alert', { name: 'Changed while you were editing' });
    await expect(notice).toContainText('ada saved changes while you were editing');
    await expect(notice).toContainText('Conflicts in Contact e-mail, Open edX release, Extra settings');
    await expect(mine('Contact e-mail')).toHaveValue('mine@campus.example');
    await expect(mine('Extra settings')).toHaveValue(/EDXAPP_LIMIT: 50/);
    await expect(mine('GitHub admin organization')).toHaveValue('mine');
    await expect(mine('Tier'), 'what only she changed came in').toHaveValue('preview');
    await expect(clash('Contact e-mail')).toContainText('hers@campus.example');
    await expect(clash('Extra settings')).toContainText('EDXAPP_FEATURES.ENABLE_NOTES');
    await picture(page, 'settings-conflict');
    await notice.scrollIntoViewIfNeeded();
    await picture(page, 'settings-conflict-notice');
  });

  await test.step('nothing is saved before I have chosen', async () => {
    await save(page).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(mine('Contact e-mail')).toBeFocused();
  });

  await test.step('keep mine, take theirs, keep both', async () => {
    await clash('Contact e-mail').scrollIntoViewIfNeeded();
    await clash('Contact e-mail').getByRole('button', { name: 'Keep mine' }).click();
    await clash('Open edX release').getByRole('button', { name: 'Take theirs' }).click();
    await expect(mine('Open edX release')).toHaveValue('open-release/hers.1');
    await clash('Extra settings').getByRole('button', { name: 'Keep both' }).click();
    await expect(mine('Extra settings')).toHaveValue(/ENABLE_NOTES: false[\s\S]*EDXAPP_LIMIT: 50/);
    await expect(page.getByRole('group', { name: /^Both changed/ })).toHaveCount(0);
    await saveAll(page);
    await expect.poll(now).toMatchObject({
      email: 'mine@campus.example',
      openedx_release: 'open-release/hers.1',
      tier: 'preview',
      github_admin_organization_name: 'mine',
      configuration_extra_settings: expect.stringMatching(/ENABLE_NOTES: false[\s\S]*EDXAPP_LIMIT: 50/),
    });
  });

  await test.step('she typed nothing more: my changes are on her screen', async () => {
    await expect(hers.getByLabel('Contact e-mail')).toHaveValue('mine@campus.example');
    await expect(hers.getByLabel('GitHub admin organization')).toHaveValue('mine');
  });

  await test.step('a secret that she changes unseen is not overwritten unseen', async () => {
    await mine('Extra settings').fill((await mine('Extra settings').inputValue()).replace('"••••••"', '"of mine"'));
    const extra = hers.getByLabel('Extra settings');
    await extra.fill((await extra.inputValue()).replace('"••••••"', '"of hers"'));
    await saveAll(hers);
    await expect(clash('Extra settings')).toContainText('••••••');
    await clash('Extra settings').getByRole('button', { name: 'Take theirs' }).click();
    await expect(page.getByRole('button', { name: 'Discard' })).toBeDisabled();
  });

  await test.step('a user who learns of a conflict only when saving loses nothing', async () => {
    await page.route(/\/api\/v1\/events/, (route) => route.abort());
    await page.reload();
    await expect(mine('Contact e-mail')).toHaveValue('mine@campus.example');
    await mine('Contact e-mail').fill('late@campus.example');
    await api.change(instance.id, { email: 'early@campus.example' });
    await save(page).click();
    const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
    await expect(clash('Contact e-mail')).toContainText('early@campus.example');
    await expect(mine('Contact e-mail')).toHaveValue('late@campus.example');
    expect((await now()).email).toBe('early@campus.example');
    await clash('Contact e-mail').getByRole('button', { name: 'Keep mine' }).click();
    await saveAll(page);
    await expect.poll(async () => (await now()).email).toBe('late@campus.example');
  });

  await context.close();
});

function save(page: Page): Locator {
  return page.getByRole('button', { name: 'Save…' });
}

/** Saves typed settings that are all valid. */
async function saveAll(page: Page): Promise<void> {
  await save(page).click();
  const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  await expect(save(page)).toBeDisabled();
}

/** The error shown at a field. */
function lock(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

function said(page: Page, field: string): Locator {
  return page.locator(`#field-${field}-why`);
}

function pending(page: Page): Locator {
  return page.getByRole('status', { name: 'Not deployed' });
}

/** The line of the caret, from 1. */
function lineOfCaret(area: Locator): Promise<number> {
  return area.evaluate((node: HTMLTextAreaElement) => node.value.slice(0, node.selectionStart).split('\n').length);
}

/** The text that the editor of the extra settings draws behind its text area; the requirements have an editor, too. */
function drawn(page: Page): Locator {
  return page.locator('.editor').filter({ has: page.getByLabel('Extra settings') }).locator('.mirror');
}

/** Whether the mirror and the text area end at the same height, so that their last lines coincide. */
function scrolledAlike(extra: Locator): Promise<boolean> {
  return extra.evaluate((area) => {
    const last = Array.from(area.closest('.editor')?.querySelectorAll('.mirror .line') ?? []).at(-1);
    if (last === undefined) return false;
    const end = area.getBoundingClientRect().top - area.scrollTop + area.scrollHeight;
    const padding = Number.parseFloat(getComputedStyle(area).paddingBottom);
    return Math.abs(end - padding - last.getBoundingClientRect().bottom) < 1;
  });
}
