/** Links of the kit that lead to pages without loading anything anew. */
import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { Link as RouterLink } from '@tanstack/react-router';
import type { ReactNode } from 'react';

type To = { to: string; search?: Record<string, unknown>; hash?: string; children: ReactNode; 'data-testid'?: string; 'aria-label'?: string };

// Addresses are put together from kinds: the router's list of routes cannot check them.
const Any = RouterLink as unknown as React.FunctionComponent<Record<string, unknown>>;

export const Link = (props: To & AnchorProps) => <Anchor component={Any} {...props} />;

export const LinkButton = (props: To & ButtonProps) => <Button component={Any} {...props} />;

export { Any as PlainLink };
