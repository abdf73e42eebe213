import type { Page } from '@playwright/test';
import { expect, test } from '../../admin.ts';
import { expectAccessible, looks } from '../../farm.ts';

interface Certificate {
  holder: string;
  standing: string;
}

interface Status {
  certificates: Certificate[];
  attention: Record<string, unknown>;
}

/** Has the broker tell that something is otherwise than it is. */
async function told(page: Page, change: (status: Status) => Status): Promise<void> {
  await page.route('**/api/v1/status', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: change((await answer.json()) as Status) });
  });
}

const trouble = (page: Page, words: string) => page.getByTestId('troubles').getByRole('alert').filter({ hasText: words });

test('a certificate that ends is told with the way to where all of them are', async ({ page }) => {
  await told(page, (status) => ({
    ...status,
    certificates: status.certificates.map((each) => (each.holder === 'authority' ? { ...each, standing: 'ending' } : each)),
  }));
  await page.goto('/');
  await trouble(page, 'The certificate of').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Certificates');
  const all = page.getByTestId('certificate');
  await expect(all.first()).toContainText('Authority of the farm');
  await expect(all.first()).toContainText('ends soon');
  await expect(all.filter({ hasText: 'Gateway' })).not.toHaveCount(0);
  await expectAccessible(page);
  await looks(page, 'admin-certificates-ending');
  await all.filter({ has: page.getByRole('heading', { name: /^Broker/ }) }).getByRole('link').click();
  await expect(page.getByRole('tabpanel')).toContainText('it answers here');
  await expect(page.getByTestId('certificate')).toContainText('SHA-256');
});

test('what the broker counts is told, each with the way to it', async ({ page, administrator }) => {
  const { items } = await administrator.call<{ items: { id: string; name: string }[] }>('GET', 'hosts');
  const none = { count: 0, first: [] };
  await told(page, (status) => ({
    ...status,
    attention: {
      notifications_not_sent: { count: 5, first: [{ id: 'n1', name: 'Duty' }, { id: 'n2', name: 'Night' }, { id: 'n3', name: 'Week' }] },
      schedules_given_up: none, resources_full: none, gateways_of_other_version: none, hosts_of_other_version: { count: 1, first: items.slice(0, 1) }, log_lost: 1200,
    },
  }));
  await page.goto('/');
  await expect(trouble(page, '5 notifications cannot be sent: Duty, Night, Week …').getByRole('link')).toHaveAttribute('href', '/notifications');
  await expect(trouble(page, '1,200 events could not be written into the log').getByRole('link')).toHaveAttribute('href', '/audit?code=log.lost');
  await looks(page, 'admin-troubles');
  await trouble(page, `The agent of ${items[0]?.name} is of another version`).getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`/hosts/${items[0]?.id}\\?tab=state$`));
});
