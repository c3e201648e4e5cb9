// Every screen has an address that can be sent to somebody: it survives the login, the reload and a wrong turn.
import { expect, signIn, test } from '../support/story.ts';

test('a link to an instance leads there through the login', async ({ page, program, playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: program.url,
    extraHTTPHeaders: { Origin: program.url, 'Sec-Fetch-Site': 'same-origin' },
  });
  const login = await api.post('/api/v1/auth/login', { data: { username: program.username, password: program.password } });
  expect(login.ok(), await login.text()).toBe(true);
  const created = await api.post('/api/v1/instances', { data: { name: 'Linked Academy', sub_domain: 'linked' } });
  expect(created.ok(), await created.text()).toBe(true);
  const { id } = (await created.json()) as { id: number };
  await api.dispose();

  const link = `/instances/${id}/settings`;
  await page.goto(link);
  await signIn(page, program);

  await expect(page).toHaveURL(`${program.url}${link}`);
  await expect(page.getByRole('heading', { name: 'Linked Academy' })).toBeVisible();
  await expect(page.getByRole('link', { name: /^Settings/ })).toHaveAttribute('aria-current', 'page');

  await page.reload();
  await expect(page).toHaveURL(`${program.url}${link}`);
  await expect(page.getByRole('heading', { name: 'Linked Academy' })).toBeVisible();
});

test('an address that leads nowhere says so and offers the way out', async ({ page, program }) => {
  await page.goto('/');
  await signIn(page, program);

  for (const path of ['/no/such/page', '/instances/999999', '/instances/not-a-number']) {
    await test.step(path, async () => {
      await page.goto(path);
      await expect(page).toHaveTitle(/Not found/);
      await page.getByRole('link', { name: 'Go home' }).click();
      await expect(page.getByText("you've come to the right place")).toBeVisible();
    });
  }
});

test('a part of the program that does not come is asked for again', async ({ page, program }) => {
  await page.goto('/');
  await signIn(page, program);
  await page.route('**/parts-*/*.wasm', (route) => route.abort());
  await page.goto('/account');
  await expect(page.getByRole('heading', { name: 'This page did not come' })).toBeVisible();
  await page.unroute('**/parts-*/*.wasm');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'Account', level: 1 })).toBeVisible();
});
