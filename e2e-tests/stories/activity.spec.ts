// Who did what: the audit trail as it grows, filtered by the URL, unfolded, and downloaded.
import type { Locator, Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { Api } from '../support/api.ts';
import { FAKE_MACHINES, expect, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('every user can read what was done and what was refused', async ({ page, program }) => {
  const admin = await Api.signIn(program);
  const campus = await admin.create('Astronomy Academy', 'astro');
  const other = await admin.create('Botany Academy', 'botany');
  const built = await admin.build(campus.id, { reason: 'the release of Thursday' });
  await admin.change(campus.id, { email: 'help@astro.example', configuration_extra_settings: 'MYSQL_PASSWORD: hunter2hunter2\n' });
  await admin.post('/users', { username: 'grace', password: 'seven otters juggle lamps', role: 'viewer' });
  const grace = await Api.signIn(program, 'grace', 'seven otters juggle lamps');
  await expect(grace.launch(other.id)).rejects.toThrow('403');

  await test.step('the newest comes first, in words, with links and reasons', async () => {
    await page.goto('/activity');
    await signIn(page, program);
    await expect(page.getByRole('heading', { name: 'Activity' })).toBeVisible();
    const refused = entries(page).filter({ hasText: 'Refused' });
    await expect(refused).toContainText('grace tried to launch an app server');
    await expect(refused).toContainText('This needs the role operator; yours is viewer.');
    await expect(entries(page).filter({ hasText: 'created a user' })).toContainText('grace');
    const launched = entries(page).filter({ hasText: 'launched an app server' });
    await expect(launched).toContainText('the release of Thursday');
    await expect(launched.getByRole('link', { name: 'Astronomy Academy' })).toHaveAttribute('href', `/instances/${campus.id}`);
    await expect(launched.getByRole('link', { name: built.name })).toHaveAttribute(
      'href',
      `/instances/${campus.id}/app-servers/${built.id}`,
    );
    await expect(launched.getByRole('time')).toHaveAttribute('title', /\d+ \w+ \d{4}, \d\d:\d\d:\d\d/);
  });

  await test.step('a change is unfolded, with its secrets masked', async () => {
    const changed = entries(page).filter({ hasText: "changed an instance's settings" });
    await changed.getByText('Details').click();
    await expect(changed.getByRole('region', { name: 'What differs' })).toContainText('help@astro.example');
    await expect(changed).toContainText('MYSQL_PASSWORD');
    await expect(changed).not.toContainText('hunter2');
    await expect(changed).toContainText('update_instance');
    await picture(page, 'activity');
  });

  await test.step('new entries appear by themselves', async () => {
    await admin.put(`/instances/${other.id}/hold`, { reason: 'exams' });
    await expect(entries(page).first()).toContainText('set a hold');
    await admin.post('/auth/tokens', { name: 'nightly deploy', role: 'viewer' });
    await expect(entries(page).first(), 'though no event tells of it').toContainText('created an API token nightly deploy');
  });

  await test.step('each filter is in the address', async () => {
    await page.getByRole('button', { name: 'Refused' }).click();
    await expect(page).toHaveURL(/\/activity\?outcome=refused$/);
    await expect(entries(page)).toHaveCount(1);
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.goto(`/instances/${other.id}`);
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('combobox', { name: 'What' }).selectOption({ label: 'Create an instance' });
    await expect(page).toHaveURL(`${program.url}/activity?action=create_instance&instance=${other.id}`);
    await expect(entries(page)).toHaveCount(1);
    await page.reload();
    await expect(entries(page)).toHaveCount(1);
    await page.getByRole('button', { name: 'Botany Academy' }).click();
    await expect(page).toHaveURL(`${program.url}/activity?action=create_instance`);
    await expect(entries(page)).toHaveCount(2);
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.getByRole('searchbox', { name: 'Who' }).fill('grace');
    await page.getByRole('searchbox', { name: 'Who' }).press('Enter');
    await expect(page).toHaveURL(/\/activity\?actor=grace$/);
    await expect(entries(page)).toHaveCount(2);
    await page.getByLabel('From', { exact: true }).fill('2020-01-31');
    await page.getByLabel('Until', { exact: true }).fill('2020-02-01');
    await expect(page.getByText('No matching entries.')).toBeVisible();
    await expect(page.getByLabel('Until', { exact: true })).toHaveValue('2020-02-01');
    await page.getByRole('link', { name: 'Show all' }).first().click();
  });

  await test.step('older entries are loaded on request, and new ones still appear', async () => {
    for (let n = 0; n < 30; n++) {
      await admin.put('/queue/pause', { reason: `pause ${n}` });
      await admin.remove('/queue/pause');
    }
    await expect(entries(page).first()).toContainText('resumed the build queue');
    await page.reload();
    await expect(entries(page)).toHaveCount(50);
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect(entries(page).last()).toContainText('signed in');
    await expect(page.getByRole('button', { name: 'Show more' })).toBeHidden();
    const count = await entries(page).count();
    await admin.put('/queue/pause', { reason: 'the last one' });
    await expect(entries(page).first()).toContainText('the last one');
    await expect(entries(page)).toHaveCount(count + 1);
  });

  await test.step('the whole trail is downloaded as JSON lines', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export (JSONL)' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('activity.jsonl');
    const lines = readFileSync(await download.path(), 'utf8').trim().split('\n');
    const actions = lines.map((line) => (JSON.parse(line) as { action: string }).action);
    expect(actions).toContain('launch_app_server');
    expect(actions.length).toBeGreaterThan(60);
  });

  await test.step('the screen fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto('/activity?outcome=refused');
    await expect(entries(page)).toHaveCount(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await picture(page, 'activity-phone');
  });
});

function entries(page: Page): Locator {
  return page.getByRole('region', { name: 'Entries' }).getByRole('listitem');
}
