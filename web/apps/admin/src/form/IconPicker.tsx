import { Button, FileButton, Group, Input, Popover, SimpleGrid, Tooltip, UnstyledButton } from '@mantine/core';
import { addressOf, call, get, type BuiltIns, type NewIcon } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconPhoto, IconUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { notifyFailure } from '../ui/notify.ts';

/** Where an icon's picture is; `builtin:terminal` is asked for by its name. */
export const pictureOf = (icon: string): string => addressOf(`/icons/${encodeURIComponent(icon.replace(/^builtin:/, ''))}`);

export function IconPicker({ value, onChange, label }: { value: string; onChange: (icon: string | null) => void; label: string }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const icons = useQuery({ queryKey: ['icons'], queryFn: ({ signal }) => get<BuiltIns>('/icons', {}, signal), staleTime: Infinity, enabled: opened });
  const upload = useMutation({
    mutationFn: (file: File) => call<NewIcon>('POST', '/icons', { body: file }),
    onSuccess: ({ id }) => onChange(id),
    onError: (error) => notifyFailure(error, t),
  });
  return (
    <Input.Wrapper label={label} labelElement="div">
      <Group gap="sm">
        {value === '' ? <IconPhoto size={40} stroke={1.2} aria-hidden /> : <img src={pictureOf(value)} alt="" width={40} height={40} />}
        <Popover opened={opened} onChange={setOpened} trapFocus width={320}>
          <Popover.Target>
            <Button variant="default" size="xs" onClick={() => setOpened(!opened)}>{t('icon.choose')}</Button>
          </Popover.Target>
          <Popover.Dropdown>
            <SimpleGrid cols={6} spacing={4}>
              {(icons.data?.items ?? []).map(({ name, icon, about }) => (
                <Tooltip key={name} label={about}>
                  <UnstyledButton aria-label={about} p={4} onClick={() => { onChange(icon); setOpened(false); }}>
                    <img src={pictureOf(icon)} alt="" width={36} height={36} loading="lazy" />
                  </UnstyledButton>
                </Tooltip>
              ))}
            </SimpleGrid>
          </Popover.Dropdown>
        </Popover>
        <FileButton accept="image/png" onChange={(file) => file && upload.mutate(file)}>
          {(props) => <Button {...props} variant="default" size="xs" loading={upload.isPending} leftSection={<IconUpload size={16} aria-hidden />}>{t('icon.upload')}</Button>}
        </FileButton>
        {value !== '' && <Button variant="subtle" size="xs" onClick={() => onChange(null)}>{t('icon.none')}</Button>}
      </Group>
    </Input.Wrapper>
  );
}
