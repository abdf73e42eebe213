import { Button, Checkbox, Fieldset, Group, PasswordInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { Refusal, call, post, type HostView } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectSelect } from '../form/Picker.tsx';
import { rulesFor } from '../publishing/programs.ts';
import { all, changed, type Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { groups, isForNobody, programs } from './progress.ts';

const EMPTY = { group: '', name: '', full_name: '', password: '' };

/** A group, somebody in it, and what they see. */
export function People() {
  const { t } = useTranslation();
  const [given, setGiven] = useState(EMPTY);
  const [known, setKnown] = useState<string | null>(null);
  const [makesAccounts, setMakesAccounts] = useState(true);
  const published = useQuery(programs).data ?? [];
  const anyGroup = useQuery(groups).data ?? [];
  const hosts = useQuery(all<HostView>('hosts', { filter: 'state.reachable:true' })).data ?? [];
  // Of what was made before something was refused, nothing is made again.
  const made = useRef<{ group?: string; user?: boolean }>({});
  // What nobody sees yet is meant; where there is no such thing, all that is there.
  const hidden = published.filter(isForNobody);
  const meant = hidden.length > 0 ? hidden : published;
  const withoutAccounts = [...new Set(hosts.filter(({ effective }) => effective.accounts === 'existing').map(({ spec }) => spec.pool))];
  const give = useMutation({
    mutationFn: async () => {
      made.current.group ??= known ?? (await post<Shown>('/groups', { name: given.group.trim(), spec: {} })).id;
      const group = made.current.group;
      if (given.name.trim() !== '' && !made.current.user) {
        await post('/users', { name: given.name.trim(), password: given.password, spec: { full_name: given.full_name.trim(), groups: [group] } });
        made.current.user = true;
      }
      if (makesAccounts) {
        const pools = await Promise.all(withoutAccounts.map((pool) => call<Shown>('GET', `/pools/${pool}`)));
        for (const { id, revision } of pools) await call('PATCH', `/pools/${id}`, { revision, body: { spec: { settings: { accounts: 'create' } } } });
      }
      const rules = rulesFor({ groups: [group], ruleName: t('publish.rule_name') });
      for (const { id, revision } of meant) await call('PATCH', `/resources/${id}`, { revision, body: { spec: { rules } } });
    },
    onSettled: () => Promise.all(['groups', 'users', 'pools', 'resources', 'hosts'].map(changed)),
  });
  const refusal = give.error instanceof Refusal ? give.error : null;
  const mistake = (field: string) => refusal?.mistakes.find((each) => each.field === field)?.message;
  const isPlaced = refusal !== null && refusal.mistakes.some(({ field }) => field === 'password' || (field === 'name' && made.current.group !== undefined));
  const field = (name: keyof typeof EMPTY) => ({ name, value: given[name], maxLength: 256, onChange: (event: React.ChangeEvent<HTMLInputElement>) => setGiven({ ...given, [name]: event.currentTarget.value }) });
  const canGive = (known !== null || (given.group.trim() !== '' && given.name.trim() !== '')) && (given.name.trim() === '' || given.password !== '') && meant.length > 0;
  return (
    <form onSubmit={(event) => { event.preventDefault(); give.mutate(); }} noValidate>
      <Stack gap="sm">
        <Text size="sm">{t('start.people.text')}</Text>
        <Fieldset legend={t('kinds.group.one')}>
          <SimpleGrid cols={{ base: 1, sm: anyGroup.length > 0 ? 2 : 1 }}>
            <TextInput {...field('group')} label={t('start.people.group')} disabled={known !== null} required={known === null} />
            {anyGroup.length > 0 && <ObjectSelect kind="group" label={t('start.people.known_group')} value={known} onChange={setKnown} />}
          </SimpleGrid>
        </Fieldset>
        <Fieldset legend={t(known === null ? 'start.people.user' : 'start.people.user_optional')}>
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <TextInput {...field('name')} label={t('sign_in.name')} autoComplete="off" autoCapitalize="none" spellCheck={false} required={known === null} error={isPlaced && mistake('name')} />
            <TextInput {...field('full_name')} label={t('first.full_name')} autoComplete="off" />
            <PasswordInput
              {...field('password')} label={t('sign_in.password')} autoComplete="new-password" required={known === null} error={mistake('password')}
              visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }}
            />
          </SimpleGrid>
        </Fieldset>
        {withoutAccounts.length > 0 && (
          <Checkbox checked={makesAccounts} onChange={(event) => setMakesAccounts(event.currentTarget.checked)} label={t('start.people.accounts')} description={t('start.people.accounts_help')} />
        )}
        <Text size="sm">{t('start.people.sees', { names: meant.map(({ name }) => name).join(', ') })}</Text>
        {give.isError && !isPlaced && <Failure error={give.error} />}
        <Group><Button type="submit" disabled={!canGive} loading={give.isPending} data-testid="give">{t('start.people.give')}</Button></Group>
      </Stack>
    </form>
  );
}
