import { Alert, Button, CopyButton, Group, Modal, Paper, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { Refusal, call, type Watched } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Editor } from '../form/Editor.tsx';
import { formOf, initial, type Spec } from '../form/fields.ts';
import { choiceOf } from '../form/words.ts';
import { TEMPLATES, fromTemplate } from '../notifications/templates.ts';
import { ObjectSelect } from '../form/Picker.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { byPlural, pageOf } from '../kinds.ts';
import { changed, useKinds, type Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { useGo } from '../ui/go.ts';

/** Makes an object of any kind that people make. */
export default function NewObject() {
  const { kind: plural } = useParams({ strict: false }) as { kind: string };
  const facts = byPlural(plural);
  const may = useMay();
  const verbs = useKinds().find((each) => each.plural === plural)?.verbs;
  if (!facts || !may(facts.area, 'add') || facts.kind === 'invitation' || (verbs && !verbs.includes('create'))) return <NotFound />;
  return <Making key={plural} plural={plural} kind={facts.kind} />;
}

function Making({ plural, kind }: { plural: string; kind: string }) {
  const { t } = useTranslation();
  const go = useGo();
  const form = formOf(kind);
  const [name, setName] = useState('');
  const [site, setSite] = useState<string | null>(null);
  const [password, setPassword] = useState('');
  const [spec, setSpec] = useState<Spec>(() => initial(form) as Spec);
  const [template, setTemplate] = useState<Watched | null>(null);
  const [secret, setSecret] = useState<{ id: string; secret: string } | null>(null);

  const make = useMutation({
    mutationFn: () => call<Shown & { secret?: string }>('POST', `/${plural}`, { body: { name: name.trim(), site, spec, ...(kind === 'user' && password !== '' ? { password } : {}) } }),
    onSuccess: async (made) => {
      await changed(plural);
      notify({ tone: 'good', title: t('object.made', { name: made.name }) });
      if (made.secret === undefined) go(pageOf(kind, made.id));
      else setSecret({ id: made.id, secret: made.secret });
    },
  });
  const start = (event: Watched) => {
    setSpec({ ...(initial(form) as Spec), ...fromTemplate(event) });
    // A name that somebody has written stays.
    if (name === '' || name === (template && choiceOf('Watched', template, t))) setName(choiceOf('Watched', event, t));
    setTemplate(event);
  };
  const mistakes = make.error instanceof Refusal ? make.error.mistakes : [];
  const has = (field: string) => mistakes.find((each) => each.field === field)?.message;

  return (
    <>
      <PageHead title={t(`kinds.${kind}.add`)} crumbs={[{ label: t(`kinds.${kind}.many`), to: `/${plural}` }]} />
      <form noValidate onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Stack>
          {make.isError && <Failure error={make.error} />}
          <Paper withBorder p="md" className="card">
            <Stack gap="md">
              {kind === 'notification' && (
                <Select
                  label={t('notification.template')} description={t('notification.template_help')} searchable maxDropdownHeight={320} value={template} data-testid="template"
                  data={Object.keys(TEMPLATES).map((event) => ({ value: event, label: choiceOf('Watched', event, t) }))} onChange={(event) => event !== null && start(event as Watched)}
                />
              )}
              <TextInput label={t('field.name')} required maxLength={256} value={name} error={has('name')} onChange={(event) => setName(event.currentTarget.value)} autoFocus={false} />
              {kind === 'user' && (
                <PasswordInput
                  label={t('password.new')} description={t('password.later')} autoComplete="new-password" maxLength={1024} value={password} error={has('password')}
                  visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }} onChange={(event) => setPassword(event.currentTarget.value)}
                />
              )}
              {['pool', 'resource', 'policy', 'logon_hours', 'schedule', 'notification'].includes(kind) && <ObjectSelect kind="site" label={t('field.site')} description={t('help.site')} value={site} onChange={setSite} />}
              <Editor form={form.fields} schema={form.name ?? ''} spec={spec} mistakes={mistakes} onChange={setSpec} />
            </Stack>
          </Paper>
          <Group justify="flex-end" className="bar">
            <Button variant="default" onClick={() => go(`/${plural}`)}>{t('cancel')}</Button>
            <Button type="submit" disabled={name.trim() === ''} loading={make.isPending} data-testid="make">{t('object.make')}</Button>
          </Group>
        </Stack>
      </form>
      <Modal opened={secret !== null} onClose={() => secret && go(pageOf(kind, secret.id))} title={t('token.made')} closeButtonProps={{ 'aria-label': t('close') }}>
        <Stack>
          <Alert color="orange" variant="light">{t('token.once')}</Alert>
          <Text ff="monospace" size="sm" style={{ overflowWrap: 'anywhere' }} data-testid="secret">{secret?.secret}</Text>
          <CopyButton value={secret?.secret ?? ''}>
            {({ copied, copy }) => <Button leftSection={copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />} onClick={copy}>{t(copied ? 'copied' : 'copy')}</Button>}
          </CopyButton>
        </Stack>
      </Modal>
    </>
  );
}
