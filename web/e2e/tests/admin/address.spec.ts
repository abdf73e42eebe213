import { expect, test } from '../../admin.ts';
import { tellOfSessions } from '../../sessions.ts';

test('device, place and time of effective access stand in the address', async ({ page, administrator, anna }) => {
  const user = (await administrator.call<{ items: { id: string }[] }>('GET', `users?name=${anna.user_name}`)).items[0];
  await page.goto(`/access?user=${user?.id}`);
  await page.getByRole('button', { name: 'Device, place and time' }).click();
  const asked = page.waitForRequest((request) => request.url().endsWith('/why/access') && (request.postData() ?? '').includes('linux'));
  await page.getByRole('combobox', { name: 'the device’s system' }).click();
  await page.getByRole('option', { name: 'Linux' }).click();
  await page.getByLabel('the device’s name').fill('laptop-7');
  await asked;
  await expect(page).toHaveURL(/client_os=linux/);
  await expect(page).toHaveURL(/client_name=laptop-7/);
  const again = page.waitForRequest((request) => request.url().endsWith('/why/access'));
  await page.reload();
  expect((await again).postDataJSON()).toMatchObject({ facts: { client_os: 'linux', client_name: 'laptop-7' } });
  await expect(page.getByLabel('the device’s name')).toHaveValue('laptop-7');
});

test('the list of sessions can show their bandwidth', async ({ page }) => {
  await tellOfSessions(page, [{ user_name: 'anna', kbits_to_client: 1_500 }]);
  await page.goto('/sessions');
  await expect(page.getByTestId('row')).not.toContainText('1.5 Mbit/s');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Bandwidth' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('row')).toContainText('1.5 Mbit/s');
});
