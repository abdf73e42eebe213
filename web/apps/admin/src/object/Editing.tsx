import { Alert, Button, Group, Modal, Paper, Stack, TextInput } from '@mantine/core';
import { Refusal, call, get, type Mistake } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { IconAlertTriangle, IconUsers } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Editor, type Inherited } from '../form/Editor.tsx';
import { differences, formOf, type Path, type Spec } from '../form/fields.ts';
import { nameOfChange } from '../form/words.ts';
import { ObjectSelect } from '../form/Picker.tsx';
import { pluralOf } from '../kinds.ts';
import { changed, type Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { authorOf } from '../ui/words.ts';
import { Changes } from './Changes.tsx';
import { Conflict } from './Conflict.tsx';
import { OtherEditors } from './OtherEditors.tsx';
import { useLease } from './editors.ts';
import { originOf } from './inherit.ts';
import type { Version } from './merge.ts';

const versionOf = ({ name, site, spec }: Shown): Version => ({ name, site: site ?? null, spec });

/** Kinds of which objects belong to a site, or may. */
const SITED = new Set(['pool', 'resource', 'policy', 'logon_hours', 'schedule', 'notification']);

/** Changes on purpose: first the form, of everything or `only` of some fields; then what it changes in words; then saved. */
export function Editing({ kind, object, only, begun, close }: {
  kind: string; object: Shown; only?: readonly string[];
  /** What is filled in already, to be changed and saved. */
  begun?: Spec;
  close: () => void;
}) {
  const { t } = useTranslation();
  // What was read when editing began; others may change the object meanwhile.
  const [base, setBase] = useState(object);
  const [draft, setDraft] = useState<Version>(() => ({ ...versionOf(object), spec: { ...object.spec, ...begun } }));
  const [isSumming, setSumming] = useState(false);
  const [theirs, setTheirs] = useState<{ view: Shown; by: string } | null>(null);
  const form = formOf(kind);
  const fields = only ? Object.fromEntries(Object.entries(form.fields).filter(([name]) => only.includes(name))) : form.fields;
  useLease(kind, object.id);
  const made = differences(versionOf(base), draft);

  const save = useMutation({
    mutationFn: ({ version, revision }: { version: Version; revision: number }) =>
      call<Shown>('PUT', `/${pluralOf(kind)}/${object.id}`, { body: version, revision }),
    onSuccess: async () => {
      notify({ tone: 'good', title: t('object.saved', { name: draft.name }) });
      setBase({ ...base, ...draft });
      await changed(pluralOf(kind));
      close();
    },
    onError: async (error) => {
      if (!(error instanceof Refusal) || error.code !== 'stale') return;
      const view = await get<Shown>(`/${pluralOf(kind)}/${object.id}`);
      setSumming(false);
      setTheirs({ view, by: error.changedBy || view.changed_by });
    },
  });
  const isStale = save.error instanceof Refusal && save.error.code === 'stale';
  const mistakes: Mistake[] = save.error instanceof Refusal && !isStale ? save.error.mistakes : [];

  // What is written is not lost by a click beside it.
  const blocker = useBlocker({ shouldBlockFn: () => made.length > 0 && !save.isSuccess, enableBeforeUnload: made.length > 0, withResolver: true });

  const inherited = (path: Path): Inherited | undefined => {
    const origin = originOf(kind, base, path);
    return origin === null ? undefined : { value: origin.value, from: t(`origin.${origin.own ? 'above' : origin.level}`) };
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (made.length === 0) close();
    else setSumming(true);
  };

  return (
    <form onSubmit={submit} noValidate data-testid="editing">
      <OtherEditors kind={kind} id={object.id} isEditing />
      <Stack gap="md">
        {object.revision > base.revision && !save.isSuccess && theirs === null && (
          <Alert color="orange" variant="light" icon={<IconUsers aria-hidden />} title={t('object.changed_meanwhile', { name: authorOf(object.changed_by, t) })}>
            {t('object.changed_advice')}
          </Alert>
        )}
        {save.isError && !isStale && !isSumming && <Failure error={save.error} />}
        {mistakes.length > 0 && (
          <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('object.mistakes', { count: mistakes.length })}>
            <ul style={{ margin: 0, paddingInlineStart: 20 }}>
              {mistakes.map(({ field, message }) => (
                <li key={field}>{nameOfChange(kind, { field: field.replace(/\[.*$/, ''), before: null, after: null }, draft.spec, t)}: {message}</li>
              ))}
            </ul>
          </Alert>
        )}
        <Paper withBorder p="md" className="card">
          <Stack gap="md">
            {!only && (
              <TextInput
                label={t('field.name')} value={draft.name} required maxLength={256} error={mistakes.find(({ field }) => field === 'name')?.message}
                onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
              />
            )}
            {!only && SITED.has(kind) && <ObjectSelect kind="site" label={t('field.site')} description={t('help.site')} value={draft.site} onChange={(site) => setDraft({ ...draft, site })} />}
            <Editor form={fields} schema={form.name ?? ''} spec={draft.spec} mistakes={mistakes} inherited={inherited} self={object.id} onChange={(spec: Spec) => setDraft({ ...draft, spec })} />
          </Stack>
        </Paper>
        <Group justify="flex-end" className="bar">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button type="submit" disabled={made.length === 0} data-testid="review">{t('object.review', { count: made.length })}</Button>
        </Group>
      </Stack>

      <Modal opened={isSumming} onClose={() => setSumming(false)} size="lg" title={t('object.summary', { name: base.name })} closeButtonProps={{ 'aria-label': t('close') }}>
        <Stack>
          <Changes kind={kind} changes={made} spec={draft.spec} />
          {save.isError && !isStale && <Failure error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setSumming(false)}>{t('object.back_to_form')}</Button>
            <Button type="button" loading={save.isPending} onClick={() => save.mutate({ version: draft, revision: base.revision })} data-autofocus data-testid="save">{t('object.save')}</Button>
          </Group>
        </Stack>
      </Modal>

      {theirs !== null && (
        <Conflict
          kind={kind} base={versionOf(base)} mine={draft} theirs={versionOf(theirs.view)} by={theirs.by} busy={save.isPending}
          close={() => setTheirs(null)}
          onChoose={(version) => {
            setBase(theirs.view);
            setDraft(version);
            setTheirs(null);
            save.mutate({ version, revision: theirs.view.revision });
          }}
        />
      )}

      <Modal opened={blocker.status === 'blocked'} onClose={() => blocker.reset?.()} title={t('object.leave')} closeButtonProps={{ 'aria-label': t('close') }}>
        {t('object.leave_text')}
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => blocker.reset?.()} data-autofocus>{t('object.stay')}</Button>
          <Button color="red.8" onClick={() => blocker.proceed?.()}>{t('object.discard')}</Button>
        </Group>
      </Modal>
    </form>
  );
}
