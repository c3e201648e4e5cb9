// A preview link of a candidate: made, shown once, opened at the gateway by a visitor, and revoked.
import { get } from 'node:http';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('look at a candidate before the switch', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await api.create('Botany Academy', 'botany');
  const first = await api.build(instance.id);
  await api.activate(first.id);
  const second = await api.build(instance.id);
  await page.goto(`/instances/${instance.id}/app-servers/${second.id}`);
  await signIn(page, program);
  const dialog = page.getByRole('dialog', { name: 'Preview links' });
  const secret = dialog.getByRole('textbox', { name: 'Preview link' });
  let link = '';

  await test.step('the link is shown once', async () => {
    await page.getByRole('button', { name: 'Preview link…' }).click();
    await expect(dialog).toContainText('No links.');
    await picture(page, 'preview-links-empty');
    await dialog.getByLabel('A new link works for').selectOption('4 hours');
    await dialog.getByRole('button', { name: 'Make link' }).click();
    await expect(secret).toHaveText(/^https?:\/\/botany\.localhost.*\/\.ocim\/preview\/[0-9a-f]{64}$/);
    link = new URL(await secret.innerText()).pathname;
    await expect(dialog.getByRole('listitem')).toContainText('Ends in');
    await picture(page, 'preview-link');
    await page.setViewportSize({ width: 360, height: 800 });
    await picture(page, 'preview-link-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await expect(dialog).toBeHidden();
  });

  await test.step('a visitor gets a cookie from the gateway', async () => {
    const opened = await visit(program.gatewayPort, link);
    expect(opened.status).toBe(302);
    expect(opened.cookie).toContain(`ocim_preview=${link.split('/').pop()}; Path=/; Domain=botany.localhost`);
  });

  await test.step('it is revoked', async () => {
    await page.getByRole('button', { name: 'Preview link…' }).click();
    await expect(secret).toHaveCount(0);
    await dialog.getByRole('listitem').getByRole('button', { name: 'Revoke' }).click();
    await expect(dialog).toContainText('No links.');
    await expect.poll(async () => (await visit(program.gatewayPort, link)).status).toBe(404);
  });
});

function visit(port: number, path: string): Promise<{ status: number | undefined; cookie: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { Host: 'botany.localhost' } }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode, cookie: (answer.headers['set-cookie'] ?? []).join('\n') });
    }).on('error', reject);
  });
}
