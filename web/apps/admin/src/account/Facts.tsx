import { DataList } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { choiceOf } from '../form/words.ts';
import { nameOf, type Me } from '../sign-in/me.ts';
import { moment } from '../ui/time.ts';

/** Who one is here, and what one may do. */
export function Facts({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const facts: [string, string][] = [
    [t('settings.administrator'), nameOf(me)],
    [t('settings.role'), me.roles.map(({ role }) => choiceOf('AdministratorRole', role, t)).join(', ')],
    ...(me.session ? ([[t('settings.ends'), moment(me.session.ends_at, i18n.language)]] as [string, string][]) : []),
    ...Object.entries(me.areas).map(([area, verbs]) => [t(`area.${area}`), verbs.map((verb) => t(`verb.${verb}`)).join(', ')] as [string, string]),
  ];
  return (
    <DataList withDivider labelWidth="40%">
      {facts.map(([label, value]) => (
        <DataList.Item key={label}><DataList.ItemLabel>{label}</DataList.ItemLabel><DataList.ItemValue>{value}</DataList.ItemValue></DataList.Item>
      ))}
    </DataList>
  );
}
