// Where an instance's data is: said before a launch, a switch and a change of settings; databases that exist already are entered.
// And the page for visitors while an instance is worked on.
import { get } from 'node:http';
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

const GIVEN = { username: 'campus', password: 'four random words' };

test('enter databases outside, and see what a switch means for data', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await api.create('Geology Academy', 'geology');
  const first = await api.build(instance.id);
  await api.activate(first.id);
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);

  await test.step('the next app server starts with empty databases', async () => {
    const list = page.getByRole('complementary', { name: 'App Servers' });
    await expect(list).toContainText('The next AppServer starts with empty databases.');
    await list.getByRole('link', { name: 'Where data is' }).click();
    await expect(page).toHaveURL(/\/data$/);
    await expect(region(page, 'Where its data is')).toContainText('On the machine of each app server.');
  });

  await test.step('a switch says what the next one does not have', async () => {
    await api.build(instance.id);
    await page.goto(`/instances/${instance.id}`);
    await page.getByRole('article', { name: 'Next' }).getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 2?' });
    await expect(dialog.getByRole('note', { name: 'Data' })).toContainText('AppServer 2 has databases of its own, which were empty when it was built.');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('settings that move the databases say so before they are saved', async () => {
    await page.goto(`/instances/${instance.id}/settings`);
    await page.getByLabel('Ephemeral databases').selectOption('No');
    await page.getByRole('button', { name: 'Save…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
    await expect(dialog.getByRole('note', { name: 'Data' })).toContainText('uses the databases outside the machine.');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
  });

  await test.step('without a server the tab says what is missing', async () => {
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await expect(region(page, 'MySQL')).toContainText('The next launch would be refused.');
    await expect(region(page, 'MongoDB')).toContainText('no server of MongoDB');
    await picture(page, 'data-missing');
  });

  for (const kind of ['MySQL', 'MongoDB']) {
    await test.step(`${kind} that exists already is entered`, async () => {
      await region(page, kind).getByRole('button', { name: 'Choose server…' }).click();
      const dialog = page.getByRole('dialog', { name: `Where are the databases of ${kind}?` });
      if (kind === 'MySQL') await dialog.getByLabel('Databases that exist already').check();
      await expect(dialog.getByRole('button', { name: 'Save' })).toHaveAttribute('aria-disabled', 'true');
      await dialog.getByLabel('Host').fill('no host:1');
      await dialog.getByLabel('User', { exact: true }).fill(GIVEN.username);
      await dialog.getByLabel('Password', { exact: true }).fill(GIVEN.password);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await expect(dialog).toContainText('Must be a host name or an address');
      await expect(dialog).toContainText('edxapp: Must have 1 to 128 characters.');
      await dialog.getByLabel('Host').fill(`${kind.toLowerCase()}.example`);
      await dialog.getByLabel('Databases', { exact: true }).fill('edxapp = campus\nforum = campus_forum\n');
      if (kind === 'MySQL') await picture(page, 'data-choose');
      await dialog.getByRole('button', { name: 'Save' }).click();
      await expect(dialog).toBeHidden();
      await expect(region(page, kind)).toContainText(`entered, ${kind.toLowerCase()}.example`);
      await expect(region(page, kind).getByRole('listitem').filter({ hasText: 'Database edxapp' })).toContainText('Entered');
    });
  }

  await test.step('an administrator sees the password, and it is recorded', async () => {
    await region(page, 'MySQL').getByRole('button', { name: 'Show credentials…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Credentials of MySQL' });
    await expect(dialog).not.toContainText(GIVEN.password);
    await dialog.getByRole('button', { name: 'Show credentials' }).click();
    await expect(dialog.getByRole('textbox', { name: 'Password' })).toHaveText(GIVEN.password);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await picture(page, 'data');
    await page.setViewportSize({ width: 360, height: 800 });
    await picture(page, 'data-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(`/activity?instance=${instance.id}&action=show_resource_credentials`);
    await expect(region(page, 'Entries').getByRole('listitem')).toHaveCount(1);
  });

  await test.step('the build has the databases, and nothing is empty any more', async () => {
    const third = await api.build(instance.id);
    expect(third.status).toBe('running');
    await page.goto(`/instances/${instance.id}`);
    await expect(page.getByRole('complementary', { name: 'App Servers' })).not.toContainText('empty databases');
  });

  await test.step('the maintenance page goes up with a text and comes down', async () => {
    await page.getByRole('button', { name: 'Maintenance page…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Put the maintenance page up?' });
    await dialog.getByLabel('Text').fill('We are back at 18:00.');
    await dialog.getByLabel('Reason').fill('upgrade');
    await dialog.getByRole('button', { name: 'Put page up' }).click();
    const banner = page.getByRole('status', { name: 'Maintenance page' });
    await expect(banner).toContainText('“We are back at 18:00.”');
    await expect.poll(async () => visit(program.gatewayPort)).toContain('503 We are back at 18:00.');
    await picture(page, 'maintenance');
    await banner.getByRole('button', { name: 'Take it down' }).click();
    await expect(banner).toHaveCount(0);
    await expect.poll(async () => visit(program.gatewayPort)).not.toContain('We are back');
  });
});

function region(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true });
}

/** The status that a visitor gets, and the words of the page. */
function visit(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/', headers: { Host: 'geology.localhost' } };
    get(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve(`${answer.statusCode} ${/<p>(.*)<\/p>/.exec(text)?.[1] ?? ''}`));
    }).on('error', reject);
  });
}
