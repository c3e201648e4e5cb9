// Every screen has an address that can be shared: it survives the login, a reload and leaving the page.
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('a link to any screen opens it after the login', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const { id } = await api.create('Linked Academy', 'linked');
  const built = await api.build(id);

  const screens: [path: string, heading: string | RegExp][] = [
    [`/instances/${id}`, 'Linked Academy'],
    [`/instances/${id}/app-servers/${built.id}`, 'Linked Academy'],
    [`/instances/${id}/app-servers/${built.id}#L3`, 'Linked Academy'],
    [`/instances/${id}/settings`, 'Linked Academy'],
    [`/instances/${id}/log`, 'Linked Academy'],
    [`/instances/${id}/pull-request`, 'Linked Academy'],
    ['/instances/new', 'New instance'],
    ['/queue', 'Build queue'],
    ['/servers?tab=ending', 'Machines'],
    ['/pull-requests?state=open', 'Pull requests'],
    ['/activity?outcome=done', 'Activity'],
    ['/account', 'Account'],
    ['/admin/users', 'Users'],
    ['/system', 'System'],
  ];
  for (const [link, heading] of screens) {
    await test.step(link, async () => {
      await page.context().clearCookies();
      await page.goto('about:blank');
      await page.goto(link);
      await signIn(page, program);
      await expect(page).toHaveURL(`${program.url}${link}`);
      await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
      await page.reload();
      await expect(page).toHaveURL(`${program.url}${link}`);
      await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
    });
  }

  await test.step('a linked line of a log is visible and marked', async () => {
    await page.goto(`/instances/${id}/app-servers/${built.id}#L3`);
    await expect(page.locator('.line.named')).toBeVisible();
  });

  for (const [path, name] of [['/queue', 'queue'], [`/instances/${id}/log`, 'instance-log']] as const) {
    await test.step(`a picture of ${path}`, async () => {
      await page.goto(path);
      await expect(page.getByText('Loading…')).toHaveCount(0);
      await expect(page.getByText('live', { exact: true })).toBeVisible();
      await picture(page, name);
    });
  }
});

test('an unknown address says so and offers links to other screens', async ({ page, program }) => {
  await page.goto('/');
  await signIn(page, program);

  for (const path of ['/no/such/page', '/instances/999999', '/instances/not-a-number']) {
    await test.step(path, async () => {
      await page.goto(path);
      await expect(page).toHaveTitle(/Not found/);
      await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
      if (path === '/no/such/page') await picture(page, 'not-found');
      await page.getByRole('link', { name: 'Go home' }).click();
      await expect(page.getByText("you've come to the right place")).toBeVisible();
    });
  }
});

test('a part of the program that fails to load is requested again', async ({ page, program }) => {
  await page.goto('/');
  await signIn(page, program);
  await page.route('**/parts-*/*.wasm', (route) => route.abort());
  await page.goto('/account');
  await expect(page.getByRole('heading', { name: 'This page could not be loaded' })).toBeVisible();
  await page.unroute('**/parts-*/*.wasm');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'Account', level: 1 })).toBeVisible();
});
