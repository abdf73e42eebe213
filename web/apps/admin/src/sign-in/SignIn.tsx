import { Alert, Anchor, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { Refusal, call } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconAlertCircle } from '@tabler/icons-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '@oriel/look/languages';
import { setPreferences } from '../preferences.ts';
import { queries, signedIn } from '../queries.ts';
import { wordsOf } from '../ui/words.ts';
import { CODE_DIGITS, CodeInput } from './CodeInput.tsx';
import type { Me } from './me.ts';

const RECOVERY_MAX = 64;

/** Name and password, then the code of the second factor where one is set. */
export function SignIn() {
  const { t, i18n } = useTranslation();
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [missing, setMissing] = useState<{ name?: boolean; password?: boolean }>({});
  const [code, setCode] = useState<string | null>(null);
  const [isRecovering, setRecovering] = useState(false);

  const signIn = useMutation({
    mutationFn: (given: string | null) =>
      call<Me>('POST', '/sign-in', {
        body: { name: name.current?.value.trim() ?? '', password: password.current?.value ?? '', ...(given === null ? {} : { code: given }) },
      }),
    onSuccess: (me) => queries.setQueryData(signedIn.queryKey, me),
    onError: (error) => {
      if (error instanceof Refusal && error.code === 'code_needed') setCode('');
      else if (code !== null) setCode('');
      else password.current?.select();
    },
  });

  useEffect(() => {
    document.title = `${t('sign_in.title')} · Oriel`;
  }, [t]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const lacks = { name: !name.current?.value.trim(), password: !password.current?.value };
    setMissing(lacks);
    if (lacks.name) name.current?.focus();
    else if (lacks.password) password.current?.focus();
    else if (code === null || (isRecovering ? code.trim() !== '' : code.length === CODE_DIGITS)) signIn.mutate(code);
  };

  const isCodeWanted = signIn.error instanceof Refusal && signIn.error.code === 'code_needed';
  const words = signIn.isError && !isCodeWanted ? wordsOf(signIn.error, t) : null;

  return (
    <Center component="main" mih="100dvh" p="md" data-testid="sign-in">
      <Stack>
        <Paper className="card" p={{ base: 'lg', sm: 'xl' }} radius="lg" withBorder w={{ base: '100%', xs: 400 }}>
          <form onSubmit={submit} noValidate>
            <Stack gap="md">
              <img src="/oriel.svg" alt="" width={48} height={48} />
              <div>
                <Title order={1} size="h2">
                  {t('sign_in.title')}
                </Title>
                <Text c="dimmed">{t('sign_in.subtitle')}</Text>
              </div>
              {words && (
                <Alert variant="light" color="red" icon={<IconAlertCircle aria-hidden />} title={words.title} role="alert" data-testid="sign-in-problem">
                  {words.detail} {words.advice}
                </Alert>
              )}
              <TextInput
                ref={name} label={t('sign_in.name')} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus size="md"
                maxLength={256} error={missing.name && t('sign_in.name_missing')}
              />
              <PasswordInput
                ref={password} label={t('sign_in.password')} name="password" autoComplete="current-password" size="md" maxLength={1024}
                visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }} error={missing.password && t('sign_in.password_missing')}
              />
              {code !== null && (
                <div>
                  {isRecovering ? (
                    <TextInput
                      label={t('sign_in.recovery_code')} description={t('sign_in.recovery_help')} value={code} onChange={(event) => setCode(event.currentTarget.value)} size="md" autoFocus
                      autoComplete="off" autoCapitalize="none" spellCheck={false} maxLength={RECOVERY_MAX}
                    />
                  ) : (
                    <CodeInput autoFocus value={code} onChange={setCode} onComplete={signIn.mutate} />
                  )}
                  <Anchor component="button" type="button" size="sm" mt="xs" onClick={() => { setCode(''); setRecovering(!isRecovering); }}>
                    {t(isRecovering ? 'sign_in.use_authenticator' : 'sign_in.use_recovery')}
                  </Anchor>
                </div>
              )}
              <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
                {t('sign_in.submit')}
              </Button>
            </Stack>
          </form>
        </Paper>
        <Group component="nav" justify="center" aria-label={t('settings.language')}>
          {Object.entries(LANGUAGES).map(([spoken, label]) => (
            <Anchor
              key={spoken} component="button" type="button" size="sm" lang={spoken} c="inherit" fw={i18n.language === spoken ? 600 : 400}
              aria-current={i18n.language === spoken ? 'true' : undefined} onClick={() => setPreferences({ language: spoken as keyof typeof LANGUAGES })}
            >
              {label}
            </Anchor>
          ))}
        </Group>
      </Stack>
    </Center>
  );
}
