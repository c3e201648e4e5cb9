// The machines: all of them with a filter, those that end soon, and those that differ between provider and database.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import type { Program } from '../support/program.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';
import { ENDLESS, VIEWER } from '../support/world.ts';

test.use({ settings: { ...FAKE_MACHINES, OCIM_BUILD_SLOTS: '4' } });

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740 };
/** The rows of a page. */
const PAGE = 50;

test('each machine with its role, its app server and its end', async ({ page, program }) => {
  test.setTimeout(300_000);
  const api = await Api.signIn(program);
  await page.goto('/servers');
  await signIn(page, program);

  await test.step('without a machine the page says how one is made', async () => {
    await expect(all(page)).toContainText('The launch of an app server makes one.');
    await expect(tab(page, 'All')).toHaveText('All0');
  });

  const astronomy = await api.create('Astronomy Academy', 'astronomy');
  const old = await api.build(astronomy.id);
  await api.activate(old.id);
  const active = await api.build(astronomy.id);
  await api.activate(active.id);
  const unneeded = await api.build(astronomy.id);
  const newest = await api.build(astronomy.id);
  const botany = await api.create('Botany Academy', 'botany', ENDLESS);
  const building = await api.launch(botany.id);
  const broken = await api.create('Chemistry Academy', 'chemistry', { configuration_extra_settings: 'demo_fail_message: "the mirror is away"\n' });
  await api.build(broken.id);

  await test.step('rows appear without a reload, each with its role', async () => {
    await expect(rows(page)).toHaveCount(6);
    await expect(row(page, 'AppServer 1', 'Astronomy')).toContainText('Fallback');
    await expect(row(page, 'AppServer 2', 'Astronomy')).toContainText('Active');
    await expect(row(page, 'AppServer 3', 'Astronomy')).toContainText('Unneeded');
    await expect(row(page, 'AppServer 4', 'Astronomy')).toContainText('Newest');
    await expect(row(page, 'AppServer 1', 'Botany')).toContainText('Building');
    await expect(row(page, 'AppServer 1', 'Chemistry')).toContainText('Configuration failed');
    await expect(row(page, 'AppServer 2', 'Astronomy')).toContainText(/edxapp-astronomy-2.*fake.*2001:db8::2/);
    await expect(row(page, 'AppServer 2', 'Astronomy')).toContainText('fake-image · fake-small');
    await expect(row(page, 'AppServer 2', 'Astronomy')).toContainText('Ready');
    await expect(tab(page, 'All')).toHaveText('All6');
  });

  await test.step('the end of a machine that nothing needs is set', async () => {
    // Retention looks once a minute.
    await expect(row(page, 'AppServer 3', 'Astronomy')).toContainText(/in (1 day|2 days)/, { timeout: 90_000 });
    await expect(row(page, 'AppServer 2', 'Astronomy').getByRole('cell').last()).toHaveText('–');
    await expect(tab(page, 'Ending soon')).toHaveText('Ending soon2');
    await page.mouse.move(0, 0);
    await picture(page, 'machines');
  });

  await test.step('a row leads to its app server', async () => {
    // Anywhere in the row, here at its state: its link lies over the cells.
    await row(page, 'AppServer 4', 'Astronomy').click({ position: { x: 560, y: 12 } });
    await expect(page).toHaveURL(`${program.url}/instances/${astronomy.id}/app-servers/${newest.id}`);
    await page.goBack();
    const link = row(page, 'AppServer 2', 'Astronomy').getByRole('link');
    await link.focus();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${program.url}/instances/${astronomy.id}/app-servers/${active.id}`);
    await page.goBack();
  });

  await test.step('the filter is in the address', async () => {
    await page.getByRole('combobox', { name: 'Role' }).selectOption('Unneeded');
    await expect(page).toHaveURL(/\/servers\?role=unneeded$/);
    await expect(rows(page)).toHaveCount(2);
    await page.getByRole('searchbox', { name: 'Search' }).fill('astronomy');
    await expect(page).toHaveURL(/\/servers\?role=unneeded&q=astronomy$/);
    await expect(rows(page)).toHaveCount(1);
    await page.reload();
    await expect(rows(page)).toHaveCount(1);
    await expect(page.getByRole('searchbox', { name: 'Search' })).toHaveValue('astronomy');
    await page.getByRole('searchbox', { name: 'Search' }).fill('nothing like it');
    await expect(all(page)).toContainText('No machine matches.');
    await page.getByRole('link', { name: 'Remove the filter' }).click();
    await expect(page).toHaveURL(/\/servers$/);
    await page.getByRole('searchbox', { name: 'Search' }).fill('2001:db8::6');
    await expect(rows(page)).toHaveCount(1);
    await page.getByRole('searchbox', { name: 'Search' }).fill('');
    await page.getByRole('combobox', { name: 'State' }).selectOption('Building');
    await expect(all(page)).toContainText('No machine matches.');
    await page.getByRole('combobox', { name: 'State' }).selectOption('Existing');
    await page.getByRole('combobox', { name: 'Provider' }).selectOption('fake');
    await expect(rows(page)).toHaveCount(6);
  });

  await test.step('ending soon: pinning keeps a machine', async () => {
    await tab(page, 'Ending soon').click();
    await expect(page).toHaveURL(/\/servers\?tab=ending$/);
    const ending = page.getByRole('region', { name: 'Scheduled for deletion' }).getByRole('listitem');
    await expect(ending).toHaveCount(2);
    await expect(ending.first()).toContainText(/edxapp-.* · fake · 2001:db8::/);
    await picture(page, 'machines-ending');
    await ending.filter({ hasText: unneeded.name }).filter({ hasText: 'Astronomy' }).getByRole('button', { name: 'Pin' }).click();
    await expect(ending).toHaveCount(1);
    await page.locator('.toast').getByRole('button', { name: 'Dismiss' }).click();
    await tab(page, 'All').click();
    await expect(row(page, 'AppServer 3', 'Astronomy')).toContainText('Pinned');
  });

  await test.step('a machine that is gone is listed on request only', async () => {
    await api.post(`/app-servers/${unneeded.id}/terminate`);
    await expect(rows(page)).toHaveCount(5);
    await page.getByRole('combobox', { name: 'State' }).selectOption('Gone');
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page)).toContainText('Deleted');
    await page.getByRole('combobox', { name: 'State' }).selectOption('Any, also gone');
    await expect(rows(page)).toHaveCount(6);
  });

  await test.step('the screen fits a phone', async () => {
    await page.setViewportSize(PHONE);
    await page.goto('/servers');
    await expect(rows(page)).toHaveCount(5);
    expect(await page.evaluate(() => document.querySelector('.main')?.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await picture(page, 'machines-phone');
    await page.setViewportSize(DESK);
  });
  await api.post(`/app-servers/${building.id}/stop`, {}, { Prefer: 'wait=20' });
});

test('orphaned and missing machines, each on its tab', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const { id } = await api.create('Astronomy Academy', 'astronomy');
  const built = await api.build(id);
  await api.post('/users', { ...VIEWER, role: 'viewer' });
  await page.goto('/servers?tab=orphans');
  await signIn(page, program);
  const orphans = page.getByRole('region', { name: 'Orphaned machines' });
  const missing = page.getByRole('region', { name: 'Missing machines' });
  await expect(orphans).toContainText('None found.');

  await test.step('a comparison on request finds them', async () => {
    writeFileSync(machineFile(program, 4711), JSON.stringify({ server_id: 4711, name: 'edxapp-lost-4711', boots: 1 }));
    rmSync(machineFile(program, (await serverOf(api, built.id)).id));
    await orphans.getByRole('button', { name: 'Reconcile now…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reconcile' }).click();
    await expect(page.getByText('No changes.')).toBeVisible();
    await page.locator('.toast').getByRole('button', { name: 'Dismiss' }).click();
    await expect(orphans.getByRole('listitem')).toContainText('fake-4711');
    await expect(orphans.getByRole('listitem')).toContainText(/Due in \d+ min: the machine will be deleted\./);
    await expect(tab(page, 'Orphans')).toHaveText('Orphans1');
    await expect(tab(page, 'Missing')).toHaveText('Missing1');
    await picture(page, 'machines-orphans');
  });

  await test.step('a missing machine is marked in the list, too', async () => {
    await tab(page, 'Missing').click();
    await expect(page).toHaveURL(/\/servers\?tab=missing$/);
    await expect(missing.getByRole('listitem')).toContainText('the record will be closed');
    await expect(missing.getByRole('listitem').getByRole('link')).toHaveAttribute('href', `/instances/${id}/app-servers/${built.id}`);
    await tab(page, 'All').click();
    await expect(rows(page)).toContainText('Missing');
  });

  await test.step('only administrators reconcile', async () => {
    await page.context().clearCookies();
    await page.goto('/servers?tab=orphans');
    await signIn(page, VIEWER);
    await expect(orphans.getByRole('button', { name: 'Reconcile now…' })).toHaveAttribute('aria-disabled', 'true');
  });
});

test('a long list is loaded page by page', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const { id } = await api.create('Astronomy Academy', 'astronomy');
  const first = await api.build(id);
  const item = await serverOf(api, first.id);
  const numbered = (n: number) => ({ ...item, id: n, name: `edxapp-astronomy-${n}` });
  // Builds of more than a page would take minutes: the answers are played.
  await page.route('**/api/v1/servers?**', (route) => {
    const rest = new URL(route.request().url()).searchParams.get('cursor') === 'rest';
    const ids = rest ? [2, 1] : Array.from({ length: PAGE }, (_, n) => PAGE + 2 - n);
    return route.fulfill({ json: { items: ids.map(numbered), next_cursor: rest ? null : 'rest' } });
  });
  await page.goto('/servers');
  await signIn(page, program);
  await expect(rows(page)).toHaveCount(PAGE);
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect(rows(page)).toHaveCount(PAGE + 2);
  await expect(rows(page).last()).toContainText('edxapp-astronomy-1');
  await expect(page.getByRole('button', { name: 'Show more' })).toBeHidden();

  await test.step('an error is told in words', async () => {
    await page.unrouteAll();
    const problem = { type: '/docs/problems#internal', title: 'Internal error', status: 500, detail: 'The database does not answer.', instance: '1' };
    await page.route('**/api/v1/servers?**', (route) => route.fulfill({ status: 500, json: problem, contentType: 'application/problem+json' }));
    await page.reload();
    await expect(all(page).getByRole('alert')).toContainText('The database does not answer.');
  });
});

function all(page: Page): Locator {
  return page.getByRole('region', { name: 'All machines' });
}

/** The rows below the header. */
function rows(page: Page): Locator {
  return all(page).getByRole('row').filter({ has: page.getByRole('cell') });
}

function row(page: Page, appServer: string, instance: string): Locator {
  return rows(page).filter({ hasText: instance }).filter({ hasText: appServer });
}

function tab(page: Page, name: string): Locator {
  return page.getByRole('navigation', { name: 'Machines' }).getByRole('link', { name: new RegExp(`^${name}`) });
}

/** The file that a machine of the fake provider consists of. */
function machineFile(program: Program, server: number): string {
  return join(program.dataDirectory, 'fake-machines', `${server}.json`);
}

async function serverOf(api: Api, appServer: number): Promise<{ id: number }> {
  const page = await api.get<{ items: { id: number; app_server_id: number }[] }>('/servers');
  return page.items.find((one) => one.app_server_id === appServer) ?? { id: 0 };
}
