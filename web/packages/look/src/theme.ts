import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** The dark green-blue of old window frames. */
const frame: MantineColorsTuple = [
  '#eaf6f6', '#d3e9ea', '#a5d2d4', '#74babd', '#4da5a9', '#34989d', '#237e84', '#166970', '#0f565c', '#0b4449',
];

/** Lamplight behind the panes; for what the user has marked, never for text on white. */
const light: MantineColorsTuple = [
  '#fff6e5', '#feeacd', '#fad49c', '#f6bc66', '#f2a839', '#f09c1d', '#d98209', '#b66b05', '#8f5403', '#6a3e00',
];

/** Warm greys with a trace of the frame's colour. */
const dark: MantineColorsTuple = [
  '#dfe5e5', '#c3cccd', '#a3aeb0', '#7c898c', '#4a575a', '#364144', '#253033', '#1a2326', '#12191b', '#0c1113',
];

export const theme = createTheme({
  colors: { frame, light, dark },
  primaryColor: 'frame',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: 'md',
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  headings: { fontWeight: '650' },
  components: {
    ActionIcon: { defaultProps: { size: 'lg', variant: 'subtle' } },
    // A filled one has no edge on the ground of a page.
    Chip: { defaultProps: { variant: 'outline' } },
    Tooltip: { defaultProps: { openDelay: 400, events: { hover: true, focus: true, touch: false } } },
    Modal: {
      defaultProps: {
        centered: true,
        // A dialog's title bar is no banner of the page.
        attributes: { header: { role: 'presentation' } },
        styles: { title: { fontSize: 'var(--mantine-font-size-lg)', fontWeight: 650, lineHeight: 1.3 } },
        // Growing would spoil what components measure while they appear.
        transitionProps: { transition: 'fade', duration: 120 },
      },
    },
    // Scrolled with the keyboard as well; room for its bar only where there is one.
    TableScrollContainer: { defaultProps: { scrollAreaProps: { viewportProps: { tabIndex: 0 }, offsetScrollbars: 'present' } } },
    // Its placeholder is an element that a menu must not hold.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
  },
});
