import { expect, test } from '../../admin.ts';

test.use({ locale: 'de-DE', mayFail: true });

test('what the broker refuses is said in German, at its field and for the whole', async ({ page, make }) => {
  await make('pools', { name: 'zweimal', spec: {} });
  await page.goto('/pools/new');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Pool hinzufügen');
  await page.getByLabel('Name').fill('zweimal');
  await page.getByTestId('make').click();
  await expect(page.getByRole('alert')).toContainText('Pool „zweimal“ gibt es schon.');

  await page.goto('/users/new');
  await page.getByRole('textbox', { name: /^Name/ }).fill('greta');
  await page.getByRole('textbox', { name: 'Konto' }).fill('Gräta!');
  await page.getByTestId('make').click();
  await expect(page.getByText('muss mit einem Buchstaben oder _ beginnen; danach höchstens 31 Kleinbuchstaben').first()).toBeVisible();
});
