import { Alert, Anchor, Box, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { ApiProblem, api } from '@oriel/api';
import { useMutation } from '@tanstack/react-query';
import { IconAlertCircle, IconClockPause } from '@tabler/icons-react';
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '@oriel/look/languages';
import { setPreferences } from '../preferences.ts';
import { signInHasEnded, signedIn } from '../queries.ts';
import { clientIs, timeZone } from '../session/client.ts';
import { takeWayBack } from '../session/way-back.ts';
import { wordsOf } from '../words.ts';
import { go } from './place.ts';
import classes from './SignIn.module.css';

export function SignIn() {
  const { t, i18n } = useTranslation();
  const [capsLock, setCapsLock] = useState(false);
  const [missing, setMissing] = useState<{ user?: boolean; password?: boolean }>({});
  const userField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const ended = signInHasEnded() || new URLSearchParams(location.search).has('ended');

  const signIn = useMutation({
    mutationFn: ({ user, password }: { user: string; password: string }) =>
      api.signIn({ user_name: user, password, time_zone: timeZone(), client: clientIs() }),
    onSuccess: (user) => {
      const wasSentHere = new URLSearchParams(location.search).has('ended');
      const back = wasSentHere ? takeWayBack() : null;
      if (back !== null) {
        location.replace(back);
        return;
      }
      if (wasSentHere) go('/', 'replace');
      signedIn(user);
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.code === 'sign_in_refused' && passwordField.current) {
        passwordField.current.value = '';
        passwordField.current.focus();
      }
    },
  });

  useEffect(() => {
    document.title = `${t('sign_in.title')} · Oriel`;
  }, [t]);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const user = userField.current?.value.trim() ?? '';
    const password = passwordField.current?.value ?? '';
    setMissing({ user: user === '', password: password === '' });
    if (user === '') userField.current?.focus();
    else if (password === '') passwordField.current?.focus();
    else signIn.mutate({ user, password });
  };

  const watchCapsLock = (event: KeyboardEvent) => setCapsLock(event.getModifierState('CapsLock'));
  const words = signIn.isError ? wordsOf(signIn.error, t) : null;

  return (
    <main className={classes.page} data-testid="sign-in">
      <Box className={classes.window} aria-hidden />
      <div className={classes.side}>
        <Paper className={classes.card} p={{ base: 'lg', sm: 'xl' }} radius="lg" withBorder>
          <form onSubmit={submit} noValidate>
            <Stack gap="md">
              <img src="/oriel.svg" alt="" width={52} height={52} />
              <div>
                <Title order={1} size="h2">
                  {t('sign_in.title')}
                </Title>
                <Text c="dimmed">{t('sign_in.subtitle')}</Text>
              </div>
              {ended && !words && (
                <Alert variant="light" color="frame" icon={<IconClockPause aria-hidden />} role="status">
                  {t('sign_in.ended')}
                </Alert>
              )}
              {words && (
                <Alert variant="light" color="red" icon={<IconAlertCircle aria-hidden />} title={words.title} role="alert" data-testid="sign-in-problem">
                  {words.detail} {words.advice}
                </Alert>
              )}
              <TextInput
                ref={userField}
                label={t('sign_in.user_name')}
                name="username"
                autoComplete="username"
                autoCapitalize="none"
                autoCorrect="off"
                spellCheck={false}
                autoFocus
                required
                withAsterisk={false}
                size="md"
                maxLength={256}
                error={missing.user && t('sign_in.user_name_missing')}
              />
              <PasswordInput
                ref={passwordField}
                label={t('sign_in.password')}
                name="password"
                autoComplete="current-password"
                required
                withAsterisk={false}
                size="md"
                maxLength={1024}
                onKeyDown={watchCapsLock}
                onKeyUp={watchCapsLock}
                onBlur={() => setCapsLock(false)}
                visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }}
                description={capsLock ? <span role="status">{t('sign_in.caps_lock')}</span> : null}
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                error={missing.password && t('sign_in.password_missing')}
              />
              <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
                {t('sign_in.submit')}
              </Button>
            </Stack>
          </form>
        </Paper>
        <nav className={classes.languages} aria-label={t('settings.language')}>
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <Anchor
              key={code}
              component="button"
              type="button"
              size="sm"
              lang={code}
              aria-current={i18n.language === code ? 'true' : undefined}
              fw={i18n.language === code ? 600 : 400}
              c="inherit"
              onClick={() => setPreferences({ language: code as keyof typeof LANGUAGES })}
            >
              {name}
            </Anchor>
          ))}
        </nav>
      </div>
    </main>
  );
}
