// Switching traffic: the confirmation, the progress, the rollback in place, and the hold that a rollback sets.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('activate with all details shown, follow the switch, roll back in place', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await api.create('Geology Academy', 'geology', { configuration_extra_settings: 'EDXAPP_LIMIT: 5\n' });
  const first = await api.build(instance.id);
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);

  await test.step('activate the first: no app server is active, and there is no fallback', async () => {
    await next(page).getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 1?' });
    await expect(dialog).toContainText('no active app server');
    await expect(dialog).toContainText('there is no fallback yet');
    await expect(dialog.getByLabel(/^Drain limit/)).toHaveCount(0);
    await dialog.getByRole('button', { name: 'Activate AppServer 1' }).click();
    await expect(page.getByText('AppServer 1 is now active.')).toBeVisible();
    await expect(steps(page)).toHaveText([/^Requested: done/, /^Traffic switched: done/]);
    await expect(card(page).getByRole('button', { name: /^Roll back/ })).toHaveCount(0);
  });

  await api.change(instance.id, { configuration_extra_settings: 'EDXAPP_LIMIT: 6\n' });
  await api.build(instance.id);

  await test.step('the dialog shows both app servers, the differences, the checks and the rollback', async () => {
    await next(page).getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 2?' });
    await expect(dialog).toContainText(/NOW\s*AppServer 1/);
    await expect(dialog).toContainText(/THEN\s*AppServer 2/);
    await expect(dialog.getByRole('region', { name: 'What differs' })).toContainText('EDXAPP_LIMIT');
    await expect(dialog.locator('.checks .good').first()).toBeVisible();
    await expect(dialog).toContainText('AppServer 1 keeps running as the fallback');
    await dialog.getByLabel(/^Drain limit/).fill('soon');
    await expect(dialog).toContainText('Must be a whole number from 0 to 3600.');
    const confirm = dialog.getByRole('button', { name: 'Activate AppServer 2' });
    await expect(confirm).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel(/^Drain limit/).fill('30');
    await dialog.getByLabel('Reason').fill('the release of Thursday');
    await picture(page, 'activate-asked');
    await confirm.click();
    await expect(dialog).toBeHidden();
  });

  await test.step('the progress is shown live, with the rollback beside it', async () => {
    await expect(page.getByText('AppServer 2 is now active.')).toBeVisible();
    await expect(card(page)).toContainText('Switched to AppServer 2');
    await expect(card(page)).toContainText(`${program.username}, just now, “the release of Thursday”`);
    await expect(steps(page)).toHaveText([/^Requested: done/, /^Traffic switched: done/, /^AppServer 1 drained: done/]);
    await page.locator('.toast').getByRole('button').click();
    await picture(page, 'activate-progress');
    await page.setViewportSize({ width: 360, height: 800 });
    await card(page).scrollIntoViewIfNeeded();
    await picture(page, 'activate-progress-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  await test.step('roll back in place', async () => {
    await card(page).getByRole('button', { name: 'Roll back to AppServer 1' }).click();
    const dialog = page.getByRole('dialog', { name: 'Roll back to AppServer 1?' });
    await expect(dialog).toContainText('Also puts automatic activation on hold');
    await dialog.getByLabel('Reason').fill('the exams are gone');
    await dialog.getByRole('button', { name: 'Roll back to AppServer 1' }).click();
    await expect(card(page)).toContainText('Rolled back to AppServer 1');
    await expect(steps(page)).toHaveText([/^Requested: done/, /^Traffic switched: done/, /^AppServer 2 drained: done/]);
    await expect(page.getByRole('article', { name: 'Now serving' })).toContainText('AppServer 1');
    expect((await api.get<{ active_appserver: { id: number } }>(`/instances/${instance.id}`)).active_appserver.id).toBe(first.id);
  });

  await test.step('the app server that was rolled back from is never the main button', async () => {
    await expect(next(page)).toContainText('ROLLED BACK FROM');
    await expect(next(page)).toContainText(`${program.username} rolled back from AppServer 2 just now. Reason: “the exams are gone”.`);
    await expect(next(page).locator('.primary')).toHaveText('Launch new AppServer');
    await expect(page.getByRole('button', { name: 'Activate this app server' })).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Activate again…' })).toHaveCount(2);
    await expect(page.locator('.primary', { hasText: 'Activate again…' })).toHaveCount(0);
    await expect(page.getByRole('complementary', { name: 'App Servers' }).getByRole('link', { name: /^AppServer 2\b/ })).toContainText('Rolled back from');
  });

  await test.step('the hold says who set it, and goes when it is released', async () => {
    const hold = page.getByRole('status', { name: 'Hold' });
    await expect(hold).toContainText(`by ${program.username}`);
    await hold.getByRole('button', { name: 'Release hold' }).click();
    await expect(hold).toHaveCount(0);
  });

  await test.step('an activation is refused if another user switched the traffic first', async () => {
    await next(page).getByRole('button', { name: 'Activate again…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 2?' });
    await expect(dialog.getByRole('note', { name: 'Rolled back' })).toContainText('Reason: “the exams are gone”.');
    await expect(dialog.locator('.checks .good').first()).toBeVisible();
    const third = await api.build(instance.id);
    await api.activate(third.id);
    await expect(dialog.getByRole('alert')).toContainText('Another app server was just activated');
    await expect(dialog.getByRole('button', { name: 'Activate AppServer 2' })).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByRole('article', { name: 'Now serving' })).toContainText('AppServer 3');
  });
});

function next(page: Page): Locator {
  return page.getByRole('article', { name: /^(Next|Rolled back from)$/ });
}

/** The card of the last switch. */
function card(page: Page): Locator {
  return page.getByRole('region', { name: 'Last switch' });
}

function steps(page: Page): Locator {
  return card(page).getByRole('list', { name: 'Switch' }).getByRole('listitem');
}
