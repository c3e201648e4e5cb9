// A failed build first shows why: the task, its role, its message, and the lines of the log around it.
import { Api } from '../support/api.ts';
import { expect, picture, signIn, test } from '../support/story.ts';

const MESSAGE = 'the mirror has no package poll==9.9';

test('a failed build begins with its failure', async ({ page, program }) => {
  test.setTimeout(400_000);
  const api = await Api.signIn(program);
  const instance = await api.create('Failing Academy', 'failing', {
    configuration_extra_settings: `demo_fail_message: "${MESSAGE}"`,
  });
  const { id } = await api.launch(instance.id);
  await page.goto(`/instances/${instance.id}/app-servers/${id}`);
  await signIn(page, program);

  const failure = page.getByRole('region', { name: 'Failure', exact: true });
  const around = failure.getByRole('region', { name: 'Lines around the failure' });
  const log = page.getByRole('log');

  await test.step('the card appears by itself, with task, role and message', async () => {
    await expect(failure).toBeVisible({ timeout: 240_000 });
    await expect(failure.getByRole('heading')).toHaveText('demo : fail on request');
    await expect(failure).toContainText('Role demo.');
    await expect(failure).toContainText(MESSAGE);
    await expect(failure).toContainText('No impact on users');
  });

  await test.step('the lines around it are as in the log, the error in red', async () => {
    await expect(around).toContainText('TASK [demo : fail on request]');
    const bad = around.locator('.line.named');
    await expect(bad).toContainText(`FAILED! => ${MESSAGE}`);
    await expect(bad).toHaveClass(/\bbad\b/);
    const numbers = await around.getByRole('link', { name: /^Line \d+$/ }).allTextContents();
    expect(numbers.length).toBeGreaterThan(10);
    expect(numbers.length).toBeLessThanOrEqual(20);
    await picture(page, 'failed');
  });

  await test.step('the link leads to the line in the log', async () => {
    await failure.getByRole('link', { name: /^line \d+$/ }).click();
    await expect(page).toHaveURL(/#L\d+$/);
    await expect(log.locator('.line.named')).toContainText(MESSAGE);
    await expect(log.locator('.line.named')).toBeInViewport();
  });
});
