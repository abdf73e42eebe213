import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { Authenticator } from '../../authenticator.ts';
import { expectAccessible, looks } from '../../farm.ts';
import { expect, fillSignIn, signIn, test } from '../../admin.ts';

async function signOut(page: Page): Promise<void> {
  await page.getByTestId('user-menu').click();
  await page.getByTestId('sign-out').click();
  await expect(page.getByTestId('sign-in')).toBeVisible();
}

/** Sets the second factor up on the page that is open, and gives what belongs to it. */
async function enrol(page: Page): Promise<{ authenticator: Authenticator; codes: string[] }> {
  await page.getByTestId('set-up-factor').click();
  const { authenticator, address } = await Authenticator.scan(page.getByTestId('qr'));
  expect(address.protocol).toBe('otpauth:');
  const key = (await page.getByTestId('factor-key').textContent()) ?? '';
  expect(address.searchParams.get('secret')).toBe(key.replaceAll(' ', ''));
  await page.getByLabel('Digit 1').focus();
  await page.keyboard.type(authenticator.code());
  const codes = page.getByTestId('recovery-codes');
  await expect(codes).toBeVisible();
  const shown = await codes.locator('code').allTextContents();
  expect(new Set(shown).size).toBe(10);
  return { authenticator, codes: shown };
}

test.describe('an administrator’s own account', () => {
  // Wrong codes and passwords are refused.
  test.use({ mayFail: true });

  test('has a second factor: set up, asked for, recovered and removed', async ({ colleague }) => {
    const carla = await colleague('carla', { role: 'help_desk' }, true);
    const { page } = carla;
    await page.getByTestId('user-menu').click();
    await page.getByTestId('open-account').click();
    await expect(page.getByTestId('factor-state')).toHaveText('Off');
    const { authenticator, codes } = await enrol(page);
    await looks(page, 'admin-recovery-codes');
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('download-codes').click()]);
    expect(readFileSync(await file.path(), 'utf8').trim().split('\n')).toEqual(codes);
    await page.getByTestId('codes-kept').click();
    await expect(page.getByTestId('factor-state')).toHaveText('On');
    await expect(page.getByText('10 recovery codes are left.')).toBeVisible();

    await signOut(page);
    await fillSignIn(page, carla);
    await page.getByLabel('Digit 1').focus();
    await page.keyboard.type(authenticator.code());
    await expect(page.getByTestId('user-menu')).toBeVisible();

    // The telephone is lost.
    await signOut(page);
    await fillSignIn(page, carla);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByRole('textbox', { name: 'Recovery code' }).fill('aaaa-aaaa-aaaa-aaaa');
    await page.locator('button[type=submit]').click();
    await expect(page.getByTestId('sign-in-problem')).toContainText('The code is wrong');
    await page.getByRole('textbox', { name: 'Recovery code' }).fill(codes[0] ?? '');
    await page.locator('button[type=submit]').click();
    await expect(page.getByTestId('user-menu')).toBeVisible();
    await page.goto('/account');
    await expect(page.getByText('9 recovery codes are left.')).toBeVisible();

    await page.getByTestId('remove-factor').click();
    const ask = page.getByRole('dialog');
    await ask.getByRole('textbox', { name: 'Code' }).fill(codes[0] ?? '');
    await page.getByTestId('confirm').click();
    await expect(ask).toContainText('The code is wrong');
    await ask.getByRole('textbox', { name: 'Code' }).fill(codes[1] ?? '');
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('factor-state')).toHaveText('Off');
    await signOut(page);
    await signIn(page, carla);
  });

  test('must have a second factor where the farm wants one, before anything else', async ({ colleague, setFarm, administrator }) => {
    const carla = await colleague('carla', { role: 'root' }, true);
    const { page } = carla;
    const { spec } = await administrator.call<{ spec: { administration: Record<string, unknown> } }>('GET', 'farm');
    await setFarm({ administration: { ...spec.administration, second_factor: 'required' } });
    await page.goto('/hosts');
    await expect(page.getByTestId('must-enrol')).toBeVisible();
    await expectAccessible(page);
    await enrol(page);
    await expectAccessible(page);
    await page.getByTestId('codes-kept').click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hosts');
  });

  test('gets another password, and the other sign-ins end', async ({ colleague, browser, baseURL }) => {
    const carla = await colleague('carla', { role: 'viewer' }, true);
    const { page } = carla;
    const elsewhere = await browser.newContext({ baseURL: baseURL ?? '', ignoreHTTPSErrors: true, locale: 'en-US' });
    const other = await elsewhere.newPage();
    await signIn(other, carla);
    await page.goto('/account');
    await expectAccessible(page);
    await looks(page, 'admin-account');
    const signIns = page.getByTestId('own-sign-ins').locator('tbody tr');
    await expect(signIns).toHaveCount(2);
    await page.getByLabel(/^Current password/).fill('not this one');
    await page.getByLabel(/^New password/).fill('four words that fit');
    await page.getByTestId('change-password').click();
    await expect(page.getByText('is not your password')).toBeVisible();
    await page.getByLabel(/^Current password/).fill(carla.password);
    await page.getByLabel(/^New password/).fill('carla');
    await page.getByTestId('change-password').click();
    await expect(page.getByText('must have at least 8 characters')).toBeVisible();
    await page.getByLabel(/^New password/).fill('four words that fit');
    await page.getByTestId('change-password').click();
    await expect(page.getByText('Your password is changed')).toBeVisible();
    await expect(signIns).toHaveCount(1);
    await other.goto('/sessions');
    await expect(other.getByTestId('sign-in')).toBeVisible();
    await signIn(other, { ...carla, password: 'four words that fit' });

    // And one that goes on elsewhere is ended from here.
    await page.reload();
    await expect(signIns).toHaveCount(2);
    await page.getByTestId('own-sign-ins').getByRole('button', { name: 'Sign out' }).click();
    await expect(signIns).toHaveCount(1);
    await other.goto('/sessions');
    await expect(other.getByTestId('sign-in')).toBeVisible();
    await elsewhere.close();
  });
});

test('an API token is made, shown once, used and withdrawn from the own account', async ({ page, demo, playwright }) => {
  await page.goto('/account');
  await page.getByRole('link', { name: 'Add a token' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Nightly report');
  await page.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: 'May look, not change' }).click();
  await page.getByTestId('make').click();
  const secret = (await page.getByTestId('secret').textContent()) ?? '';
  const api = await playwright.request.newContext({ baseURL: demo.management, ignoreHTTPSErrors: true, extraHTTPHeaders: { authorization: `Bearer ${secret}` } });
  expect((await api.get('/api/v1/hosts')).status()).toBe(200);
  await page.goto('/account');
  const row = page.getByTestId('own-tokens').getByRole('row').filter({ hasText: 'Nightly report' });
  await expect(row).toContainText('May look, not change');
  await expect(row).toContainText(/second|minute|now/);
  await row.getByRole('button', { name: 'Withdraw Nightly report' }).click();
  await page.getByTestId('confirm').click();
  await expect(row).toHaveCount(0);
  expect((await api.get('/api/v1/hosts')).status()).toBe(401);
  await api.dispose();
});
