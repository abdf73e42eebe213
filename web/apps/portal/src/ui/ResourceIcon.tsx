import { ThemeIcon } from '@mantine/core';
import type { ResourceKind } from '@oriel/api';
import {
  IconAppWindow, IconDeviceDesktop, IconDeviceLaptop, IconFileText, IconFolder, IconFolderShare, IconWorld, type Icon,
} from '@tabler/icons-react';
import { useState } from 'react';

const SIGNS: Record<ResourceKind, Icon> = {
  application: IconAppWindow,
  desktop: IconDeviceDesktop,
  document: IconFileText,
  folder: IconFolder,
  local_application: IconDeviceLaptop,
  network_folder: IconFolderShare,
  web_application: IconWorld,
};

/** The program's own icon; a sign for its kind where it has none or it cannot be loaded. */
export function ResourceIcon({ url, kind, size = 48 }: { url: string | null; kind: ResourceKind; size?: number }) {
  const [broken, setBroken] = useState<string | null>(null);
  if (url !== null && url !== broken) {
    return <img src={url} alt="" width={size} height={size} onError={() => setBroken(url)} draggable={false} />;
  }
  const Sign = SIGNS[kind];
  return (
    <ThemeIcon size={size} variant="light" color={kind === 'folder' ? 'light' : 'frame'} radius="md" aria-hidden>
      <Sign size={size * 0.58} stroke={1.5} />
    </ThemeIcon>
  );
}
