// The life of pull requests, from GitHub's webhook until their machines are deleted. GitHub is a fake; all else is real. No
// page is reloaded.
import type { Locator, Page } from '@playwright/test';
import { Github } from '../support/github.ts';
import { Machines } from '../support/machines.ts';
import { test as base, expect, picture, signIn } from '../support/story.ts';

const REPOSITORY = 'acme/edx-platform';
const SECRET = 'what GitHub signs with';
const TOKEN = 'ghp_storyteller';
// The playbook takes long enough for the story to see its progress.
const SETTINGS = ['EDXAPP_PLATFORM_NAME: Grades Academy', 'demo_pause_seconds: 3'];
// For the demo configuration on two busy cores.
const BUILT_WITHIN_MS = 240_000;
const GONE_WITHIN_MS = 60_000;

const test = base.extend<{ github: Github }>({
  github: async ({}, use) => {
    const github = await Github.start();
    await github.order('repository', { repository: REPOSITORY });
    await github.order('set_team', { organization: 'acme', team: 'owners', logins: ['ada'] });
    await github.order('set_secret', { text: SECRET });
    await github.order('set_token', { text: TOKEN });
    await use(github);
    await github.stop();
  },
  settings: async ({ github }, use) =>
    use({
      GITHUB_API_URL: github.url,
      GITHUB_URL: github.url,
      GITHUB_ACCESS_TOKEN: TOKEN,
      GITHUB_WEBHOOK_SECRETS: SECRET,
      WATCH_FORK: REPOSITORY,
      WATCH_ORGANIZATION: 'acme',
      OCIM_LOCAL_MACHINES_FOR_STRANGERS: 'true',
      WATCH_ON_COMMIT: 'nothing',
      WATCH_ARCHIVE_MINUTES: '0',
      WATCH_REPORT: 'nothing',
      // After the first poll only webhooks report changes, and GitHub fails only when the story makes it fail.
      WATCH_INTERVAL: '3600',
    }),
});

test('from the pull request to its site, and to its end', async ({ page, program, github }) => {
  test.setTimeout(600_000);
  const machines = new Machines(program);
  const head = async (number: number) =>
    ((await github.order('head', { repository: REPOSITORY, number })) as { commit: string }).commit;
  const happened = (number: number, action: string) => github.deliver(program, REPOSITORY, number, action);

  await test.step('nothing is watched yet', async () => {
    await page.goto('/pull-requests');
    await signIn(page, program);
    await expect(page.getByRole('heading', { name: 'Pull requests' })).toBeVisible();
    await expect(watched(page)).toContainText('No pull request yet.');
    await expect(page.getByRole('status').filter({ hasText: 'live' })).toBeVisible();
  });

  await test.step('a member opens a pull request: its site is built without a further action', async () => {
    const pull = {
      author: 'ada',
      branch: 'grades',
      title: 'Show the grade beside the name',
      body: described(SETTINGS),
    };
    expect(await github.order('open_pull', { repository: REPOSITORY, pull })).toEqual({ number: 1 });
    await happened(1, 'opened');
    const commit = await head(1);
    await expect(row(page, 1)).toContainText('Show the grade beside the name');
    await expect(row(page, 1)).not.toContainText('Needs approval');
    await row(page, 1).getByRole('link', { name: 'Show the grade beside the name' }).click();
    await expect(page.getByRole('link', { name: 'Pull Request (#1)' })).toHaveAttribute('aria-current', 'page');
    const name = `PR#1: Show the grade beside… (ada) - ada/grades (${short(commit)})`;
    await expect(page.getByRole('heading', { name })).toBeVisible();

    await page.getByRole('link', { name: 'App Servers' }).click();
    await expect(page.getByRole('article', { name: 'Next' })).toContainText(/task \d+ of \d+/, { timeout: BUILT_WITHIN_MS });
    await expect(serving(page)).toContainText('AppServer 1', { timeout: BUILT_WITHIN_MS });
    for (const kind of ['directory', 'interface', 'namespace', 'process']) {
      expect(machines.traces().join('\n'), `a machine has its ${kind}`).toMatch(new RegExp(`^${kind} `, 'm'));
    }

    const link = page.getByRole('link', { name: `http://pr1.sandbox.localhost:${program.gatewayPort}` });
    const [site] = await Promise.all([page.waitForEvent('popup'), link.first().click()]);
    await expect(site.getByRole('heading', { name: 'Grades Academy' })).toBeVisible();
    await expect(site.getByRole('main')).toContainText(commit);
    await expect(site.getByRole('main')).toContainText(`${github.url}/ada/edx-platform.git`);
    await site.close();
  });

  await test.step('a new commit is shown, and its settings are applied when a user asks for it', async () => {
    const before = await head(1);
    await page.getByRole('link', { name: 'Pull Request (#1)' }).click();
    await expect(facts(page)).toContainText(short(before));
    await github.order('push', { repository: REPOSITORY, number: 1 });
    await happened(1, 'synchronize');
    const commit = await head(1);
    await expect(facts(page)).toContainText(short(commit));
    await expect(facts(page)).toContainText('Out of date: the pull request has newer settings.');
    await picture(page, 'pull-request');

    await github.order('slow', { seconds: 3 });
    await update(page).click();
    await expect(update(page)).toHaveAttribute('aria-busy', 'true');
    await github.order('slow', { seconds: 0 });
    await expect(page.getByRole('status').filter({ hasText: 'Instance settings updated.' })).toBeVisible();
    await expect(page).toHaveURL(/\/instances\/\d+\/settings$/);
    await expect(page.getByRole('heading', { name: `(${short(commit)})` })).toBeVisible();
    await expect(page.getByText('2 values updated from the pull request')).toBeVisible();
    const field = page.getByLabel('edx-platform commit');
    await expect(field).toHaveValue(commit);
    await expect(field).toHaveAccessibleDescription(new RegExp(`Updated; it was “${before}”`));
    await picture(page, 'pull-request-updated');

    await page.getByRole('link', { name: 'App Servers' }).click();
    await expect(serving(page)).toContainText('AppServer 1');
    await expect(page.getByRole('link', { name: /AppServer 2\b/ })).toHaveCount(0);
  });

  await test.step('the pull request of an outsider waits until an operator has approved it', async () => {
    const pull = {
      author: 'mallory',
      branch: 'lightbulbs',
      title: 'Change the lightbulbs',
      // The build takes longer than the pull request is open.
      body: described(['demo_pause_seconds: 600']),
    };
    expect(await github.order('open_pull', { repository: REPOSITORY, pull })).toEqual({ number: 2 });
    await page.getByLabel(`Menu of ${program.username}`).click();
    await page.getByRole('link', { name: 'Pull requests' }).click();
    await page.getByRole('textbox', { name: 'Watch a pull request' }).fill(`${github.url}/${REPOSITORY}/pull/2`);
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    await expect(page.getByText(`Now watching ${REPOSITORY} #2.`)).toBeVisible();
    await expect(row(page, 2)).toContainText('Needs approval');
    await expect(row(page, 2)).toContainText('No instance');
    await picture(page, 'pull-requests');

    await row(page, 2).getByRole('button', { name: 'Review…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Approve this commit?' });
    const commit = await head(2);
    await expect(dialog).toContainText(commit);
    await expect(dialog).toContainText('demo_pause_seconds: 600');
    await picture(page, 'pull-request-review');
    await dialog.getByRole('button', { name: 'Approve this commit' }).click();
    await expect(page.getByText(`#2: ${short(commit)} is approved.`)).toBeVisible();
    await expect(dialog).toBeHidden();
    await expect(row(page, 2)).toContainText('Approved');
    await expect(row(page, 2)).not.toContainText('No instance');
    const link = row(page, 2).getByRole('link', { name: 'Change the lightbulbs' });
    await expect(link).toHaveAttribute('href', /^\/instances\/\d+\/pull-request$/);
  });

  await test.step('settings that cannot be used are shown with their line, until they are corrected', async () => {
    await row(page, 1).getByRole('link', { name: 'Show the grade beside the name' }).click();
    await expect(facts(page)).toContainText('Up to date with the pull request.');
    const text = described([...SETTINGS, 'ansible_connection: local']);
    await github.order('edit_body', { repository: REPOSITORY, number: 1, text });
    await happened(1, 'edited');
    const trouble = page.getByRole('status').filter({ hasText: 'Invalid settings in the pull request description' });
    await expect(trouble).toContainText('line 7: ');
    await expect(trouble).toContainText('ansible_connection');
    await picture(page, 'pull-request-trouble');
    await github.order('edit_body', { repository: REPOSITORY, number: 1, text: described(SETTINGS) });
    await happened(1, 'edited');
    await expect(trouble).toBeHidden();
  });

  await test.step('while GitHub is down an update fails, and the page stays open', async () => {
    await github.order('fail_next', { count: 1, status: 502 });
    await update(page).click();
    const failed = page.getByRole('alert').filter({ hasText: 'Update failed.' });
    await expect(failed).toContainText('GitHub does not answer');
    await expect(update(page)).toHaveAttribute('aria-busy', 'false');
    await expect(page.getByRole('link', { name: 'Pull Request (#1)' })).toHaveAttribute('aria-current', 'page');
    await update(page).click();
    await expect(page.getByText('The settings were those of the pull request already')).toBeVisible();
  });

  await test.step('both are closed: the serving and the building app server end, and nothing is left of them', async () => {
    const listed = page.getByRole('navigation', { name: 'Instances' }).getByRole('link', { name: /PR#/ });
    await expect(listed).toHaveCount(2);
    await expect(listed.filter({ hasText: 'PR#2' }).getByRole('img', { name: /^AppServer 1 \(newer/ })).toBeVisible();
    const directories = () => machines.traces().filter((trace) => trace.startsWith('directory'));
    await expect.poll(directories, { timeout: BUILT_WITHIN_MS }).toHaveLength(2);
    await page.getByLabel(`Menu of ${program.username}`).click();
    await page.getByRole('link', { name: 'Pull requests' }).click();
    await github.order('merge', { repository: REPOSITORY, number: 1 });
    await happened(1, 'closed');
    await github.order('close', { repository: REPOSITORY, number: 2 });
    await happened(2, 'closed');
    await expect(row(page, 1)).toContainText('Merged');
    await expect(row(page, 2)).toContainText('Closed');
    for (const number of [1, 2]) {
      await expect(row(page, number)).toContainText('Archived', { timeout: GONE_WITHIN_MS });
    }
    await expect.poll(() => machines.traces(), { timeout: GONE_WITHIN_MS }).toEqual([]);
    await expect(listed).toHaveCount(0);
    const answer = await page.goto(`http://pr1.sandbox.localhost:${program.gatewayPort}`);
    expect(answer?.ok(), 'its site is gone').toBe(false);
  });
});

/** A description with a block of settings, whose first line is line 5. */
function described(settings: string[]): string {
  return ['It was asked for.', '', '**Settings**', '```yaml', ...settings, '```', ''].join('\n');
}

function short(commit: string): string {
  return commit.slice(0, 7);
}

function watched(page: Page): Locator {
  return page.getByRole('region', { name: 'Watched pull requests' });
}

function row(page: Page, number: number): Locator {
  const out = page.getByRole('link', { name: `#${number} on GitHub` });
  return watched(page).getByRole('listitem').filter({ has: out });
}

function facts(page: Page): Locator {
  return page.getByRole('region', { name: 'Pull request', exact: true });
}

function update(page: Page): Locator {
  return page.getByRole('button', { name: 'Update Instance Settings from PR' });
}

function serving(page: Page): Locator {
  return page.getByRole('article', { name: 'Now serving' });
}
