import { Alert, Button, Center, Code, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { Refusal, call, post } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { IconAlertCircle } from '@tabler/icons-react';
import { useEffect, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { firstStart, queries, signedIn } from '../queries.ts';
import { wordsOf } from '../ui/words.ts';
import type { Me } from './me.ts';

const EMPTY = { token: '', name: '', full_name: '', password: '', again: '' };

/** Makes the root account of a farm that has none, for who can read the broker's data; then they are signed in with it. */
export default function FirstStart() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [given, setGiven] = useState(EMPTY);
  const [isAsked, setAsked] = useState(false);
  const make = useMutation({
    mutationFn: async () => {
      const { again: _, token, name, ...rest } = given;
      await post('/first-start', { token: token.trim(), name: name.trim(), ...rest });
      return call<Me>('POST', '/sign-in', { body: { name: name.trim(), password: given.password } });
    },
    onSuccess: async (me) => {
      queries.setQueryData(firstStart.queryKey, { needed: false });
      await navigate({ to: '/start' } as never);
      queries.setQueryData(signedIn.queryKey, me);
    },
    // Somebody else was faster, or the account is there and only the sign-in failed: sign in.
    onError: () => void queries.invalidateQueries({ queryKey: firstStart.queryKey }),
  });
  useEffect(() => {
    document.title = `${t('first.title')} · Oriel`;
  }, [t]);

  const refusal = make.error instanceof Refusal ? make.error : null;
  const isWrongToken = refusal?.code === 'unauthorized';
  const mistake = (field: string) => refusal?.mistakes.find((each) => each.field === field || each.field.endsWith(`.${field}`))?.message;
  const missing = (field: keyof typeof EMPTY) => isAsked && given[field].trim() === '' && t('first.missing');
  const isKnown = isWrongToken || (refusal?.mistakes ?? []).some(({ field }) => mistake(field) !== undefined);
  const words = make.isError && !isKnown ? wordsOf(make.error, t) : null;
  const field = (name: keyof typeof EMPTY) => ({
    name, value: given[name], size: 'md' as const, onChange: (event: React.ChangeEvent<HTMLInputElement>) => setGiven({ ...given, [name]: event.currentTarget.value }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    const isWhole = (['token', 'name', 'password'] as const).every((each) => given[each].trim() !== '');
    if (isWhole && given.password === given.again) make.mutate();
  };
  const show = { visibilityToggleButtonProps: { 'aria-label': t('sign_in.show_password'), tabIndex: 0 } };
  return (
    <Center component="main" mih="100dvh" p="md" data-testid="first-start">
      <Paper className="card" p={{ base: 'lg', sm: 'xl' }} radius="lg" withBorder w="100%" maw={480}>
        <form onSubmit={submit} noValidate>
          <Stack gap="md">
            <img src="/oriel.svg" alt="" width={48} height={48} />
            <div>
              <Title order={1} size="h2">{t('first.title')}</Title>
              <Text c="dimmed">{t('first.text')}</Text>
            </div>
            {words && <Alert variant="light" color="red" icon={<IconAlertCircle aria-hidden />} title={words.title} role="alert">{words.detail} {words.advice}</Alert>}
            <PasswordInput
              {...field('token')} {...show} label={t('first.token')} autoComplete="off" maxLength={512} autoFocus
              description={<>{t('first.token_help')} <Code>admin.token</Code></>} error={(isWrongToken && t('first.wrong_token')) || missing('token')}
            />
            <TextInput {...field('name')} label={t('sign_in.name')} description={t('first.name_help')} autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={256} error={mistake('name') ?? missing('name')} />
            <TextInput {...field('full_name')} label={t('first.full_name')} autoComplete="name" maxLength={256} error={mistake('full_name')} />
            <PasswordInput {...field('password')} {...show} label={t('sign_in.password')} autoComplete="new-password" maxLength={1024} error={mistake('password') ?? missing('password')} />
            <PasswordInput {...field('again')} {...show} label={t('first.again')} autoComplete="new-password" maxLength={1024} error={isAsked && given.password !== given.again && t('first.differ')} />
            <Button type="submit" size="md" loading={make.isPending} fullWidth data-testid="make-root">{t('first.make')}</Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
