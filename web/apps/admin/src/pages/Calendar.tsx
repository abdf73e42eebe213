import '@mantine/dates/styles.css';
import 'dayjs/locale/de';
import { Badge, Box, EmptyState, Grid, Group, Indicator, Paper, Stack, Text, Title } from '@mantine/core';
import { Calendar as Month, DatesProvider } from '@mantine/dates';
import type { ScheduleView } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconCalendarOff, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FORMS } from '../form/fields.ts';
import { Value } from '../form/Value.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { all } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Link, LinkButton } from '../ui/Link.tsx';

const dayOf = (moment: Date): string => `${moment.getFullYear()}-${String(moment.getMonth() + 1).padStart(2, '0')}-${String(moment.getDate()).padStart(2, '0')}`;

/** When schedules run next. */
export default function Calendar() {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [day, setDay] = useState<string | null>(null);
  const schedules = useQuery(all<ScheduleView>('schedules'));
  const runs = (schedules.data ?? [])
    .flatMap((schedule) => (schedule.state.next ? [{ schedule, at: new Date(schedule.state.next) }] : []))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const byDay = new Map<string, typeof runs>();
  for (const run of runs) byDay.set(dayOf(run.at), [...(byDay.get(dayOf(run.at)) ?? []), run]);
  const shown = day === null ? runs : (byDay.get(day) ?? []);
  const words = new Intl.DateTimeFormat(i18n.language, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' });
  if (!may('hosts')) return <NotFound />;
  return (
    <>
      <PageHead title={t('nav.calendar')} actions={may('hosts', 'add') && <LinkButton to="/schedules/new" leftSection={<IconPlus size={18} aria-hidden />}>{t('kinds.schedule.add')}</LinkButton>} />
      <Grid>
        <Grid.Col span={{ base: 12, sm: 'content' }}>
          <Paper withBorder p="md" className="card">
            <DatesProvider settings={{ locale: i18n.language, firstDayOfWeek: 1 }}>
              <Month
                hideOutsideDates
                ariaLabels={{ nextMonth: t('calendar.next'), previousMonth: t('calendar.previous') }}
                renderDay={(date) => {
                  const count = byDay.get(String(date))?.length ?? 0;
                  return <Indicator disabled={count === 0} size={8} color="frame" offset={-4}><Box component="span">{Number(String(date).slice(8, 10))}</Box></Indicator>;
                }}
                getDayProps={(date) => ({
                  selected: String(date) === day,
                  onClick: () => setDay(String(date) === day ? null : String(date)),
                  'aria-label': t('calendar.day', { day: new Intl.DateTimeFormat(i18n.language, { dateStyle: 'long' }).format(new Date(`${String(date)}T12:00:00`)), count: byDay.get(String(date))?.length ?? 0 }),
                })}
              />
            </DatesProvider>
          </Paper>
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 'auto' }}>
          <Paper withBorder p="md" className="card">
            <Title order={2} size="h4" mb="sm">{t('calendar.runs')}</Title>
            {schedules.isSuccess && shown.length === 0 && <EmptyState size="sm" icon={<IconCalendarOff />} title={t('calendar.nothing')} description={t('kinds.schedule.about')} />}
            <Stack gap="sm">
              {shown.map(({ schedule, at }) => (
                <div key={schedule.id}>
                  <Group gap="xs">
                    <Text size="sm" fw={600}><time dateTime={at.toISOString()}>{words.format(at)}</time></Text>
                    {schedule.state.going_on.length > 0 && <Badge variant="light" color="blue" tt="none">{t('schedule.going_on')}</Badge>}
                  </Group>
                  <Text size="sm" component="div">
                    <Link to={`/schedules/${schedule.id}`} inherit underline="always">{schedule.name}</Link>: <Value field={FORMS.schedule?.fields.action} value={schedule.spec.action} />
                  </Text>
                </div>
              ))}
            </Stack>
          </Paper>
        </Grid.Col>
      </Grid>
    </>
  );
}
