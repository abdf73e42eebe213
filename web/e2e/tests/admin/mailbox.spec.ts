import { expectAccessible, looks } from '../../farm.ts';
import { MailServer } from '../../mail-server.ts';
import { expect, test as base } from '../../admin.ts';

const test = base.extend<{ mail: MailServer }>({
  mail: async ({}, use) => {
    const server = await MailServer.open();
    await use(server);
    await server.close();
  },
});

test.describe('the farm’s mailbox', () => {
  // What the mail server refuses is an answer of the API, too.
  test.use({ mayFail: true });

  test('is set up, tested with the server’s own words, and its password is set and never shown', async ({ page, mail, setFarm, administrator }) => {
    // Whatever the page sets, goes at the end.
    await setFarm({ mailbox: null });
    await page.goto('/mailbox');
    await expect(page.getByRole('heading', { name: 'The farm sends no mail yet' }).or(page.getByText('The farm sends no mail yet')).first()).toBeVisible();
    await page.getByTestId('edit').click();
    await page.getByRole('textbox', { name: 'Server', exact: false }).first().fill('127.0.0.1');
    await page.getByRole('textbox', { name: 'Sender' }).fill('oriel@example.org');
    await page.getByRole('textbox', { name: 'Port' }).fill(String(mail.port));
    await page.getByRole('combobox', { name: 'Encryption' }).click();
    await page.getByRole('option', { name: 'STARTTLS where the server offers it' }).click();
    await expectAccessible(page);
    await looks(page, 'admin-mailbox-edit');
    await page.getByTestId('review').click();
    await page.getByTestId('save').click();
    await expect(page.getByTestId('password-state')).toHaveText('not needed');

    await page.getByRole('textbox', { name: 'Address' }).fill('duty@example.org');
    await page.getByTestId('send-test').click();
    await expect(page.getByTestId('taken')).toContainText('250 2.0.0 Ok: queued as MAIL1');
    expect(mail.mails).toMatchObject([{ to: ['duty@example.org'] }]);
    await expectAccessible(page);
    await looks(page, 'admin-mailbox');
    await page.getByRole('textbox', { name: 'Address' }).fill('nobody@example.org');
    await page.getByTestId('send-test').click();
    await expect(page.getByRole('alert').filter({ hasText: 'No such user here' })).toBeVisible();

    // A password outlasts the mailbox: it belongs to its server and account.
    const account = `oriel-${Date.now()}`;
    const { spec } = await administrator.call<{ spec: { mailbox: object } }>('GET', 'farm');
    await setFarm({ mailbox: { ...spec.mailbox, tls: 'required', user_name: account } });
    await expect(page.getByTestId('password-state')).toHaveText('missing');
    await page.getByLabel(/^New password/).fill('a password of the mailbox');
    await page.getByTestId('set-password').click();
    await expect(page.getByTestId('password-state')).toHaveText('set', { useInnerText: true });
    await expect(page.getByLabel(/^New password/)).toHaveValue('');
    expect(await page.content()).not.toContain('a password of the mailbox');
    await setFarm({ mailbox: { ...spec.mailbox, tls: 'required', user_name: `not-${account}` } });
    await expect(page.getByTestId('password-state')).toHaveText('set for another server');
  });

  test('carries a notification that was made from a template', async ({ page, mail, setFarm, administrator }) => {
    await setFarm({ mailbox: { server: '127.0.0.1', port: mail.port, tls: 'opportunistic', sender: 'oriel@example.org' } });
    await page.goto('/notifications/new');
    await page.getByRole('combobox', { name: 'Start from' }).click();
    await page.getByRole('option', { name: 'Use of memory' }).click();
    await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Use of memory');
    await page.getByRole('combobox', { name: /addresses/i }).fill('duty@example.org');
    await page.keyboard.press('Enter');
    await expectAccessible(page);
    await looks(page, 'admin-notification-template');
    await page.getByTestId('make').click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Use of memory');
    const { items } = await administrator.call<{ items: { id: string; revision: number; spec: object }[] }>('GET', 'notifications?name=Use%20of%20memory');
    const made = items[0];
    try {
      expect(made?.spec).toMatchObject({ event: 'memory', threshold: { direction: 'rises_above', value: 90 }, grace_minutes: 10, mail: { administrators: true, addresses: ['duty@example.org'] } });
      await page.getByRole('tab', { name: 'State' }).click();
      await page.getByTestId('test').click();
      await expect(page.getByTestId('tried')).toContainText('sent');
      expect(mail.mails.flatMap(({ to }) => to)).toContain('duty@example.org');
      await expectAccessible(page);
      await looks(page, 'admin-notification-state');
    } finally {
      await page.goto('about:blank');
      await administrator.call('DELETE', `notifications/${made?.id}?revision=${made?.revision}`);
    }
  });
});
