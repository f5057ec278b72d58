package parhelion.pc.display;

/**
 * The VGA's register files: what software reaches by an index and a data port each, at 0x3b0 to
 * 0x3df. Values are kept whole; {@link VgaMemory} and {@link VgaPicture} say what they mean.
 */
final class VgaRegisters {
  static final int SEQUENCER_MAP_MASK = 2;
  static final int SEQUENCER_FONT = 3;
  static final int SEQUENCER_MODE = 4;
  static final int GRAPHICS_SET_RESET = 0;
  static final int GRAPHICS_ENABLE_SET_RESET = 1;
  static final int GRAPHICS_COMPARE = 2;
  static final int GRAPHICS_ROTATE = 3;
  static final int GRAPHICS_READ_MAP = 4;
  static final int GRAPHICS_MODE = 5;
  static final int GRAPHICS_MISC = 6;
  static final int GRAPHICS_DONT_CARE = 7;
  static final int GRAPHICS_BIT_MASK = 8;
  static final int CRTC_OVERFLOW = 7;
  static final int CRTC_MAX_SCAN_LINE = 9;
  static final int CRTC_CURSOR_START = 10;
  static final int CRTC_CURSOR_END = 11;
  static final int CRTC_START_HIGH = 12;
  static final int CRTC_START_LOW = 13;
  static final int CRTC_CURSOR_HIGH = 14;
  static final int CRTC_CURSOR_LOW = 15;
  static final int CRTC_RETRACE_END = 17;
  static final int CRTC_DISPLAY_END = 18;
  static final int CRTC_OFFSET = 19;
  static final int ATTRIBUTE_MODE = 16;
  static final int ATTRIBUTE_PLANES = 18;
  static final int ATTRIBUTE_SELECT = 20;

  private static final int PROTECT = 0x80;

  /** Mode 3: 80 columns and 25 lines of text with glyphs of 16 lines, in colour. */
  private static final int[] CRTC_TEXT = {
    0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e,
    0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff
  };

  private static final int[] ATTRIBUTE_TEXT = {
    0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0, 0x0f, 8, 0
  };

  final int[] sequencer = new int[8];
  final int[] graphics = new int[16];
  final int[] crtc = new int[256];
  final int[] attribute = new int[32];

  /** 256 colours of 6 bits a part. */
  final byte[] palette = new byte[768];

  int misc;
  private int sequencerIndex;
  private int graphicsIndex;
  private int crtcIndex;
  private int attributeIndex;
  private boolean attributeData;
  private int feature;
  private int dacMask;
  private int dacRead;
  private int dacWrite;
  private boolean dacWriting;
  private int statusReads;

  VgaRegisters() {
    reset();
  }

  /** Text mode 3, as firmware would have left it, for systems that none starts. */
  void reset() {
    misc = 0x67;
    java.util.Arrays.fill(crtc, 0);
    System.arraycopy(CRTC_TEXT, 0, crtc, 0, CRTC_TEXT.length);
    System.arraycopy(ATTRIBUTE_TEXT, 0, attribute, 0, ATTRIBUTE_TEXT.length);
    int[] sequencerText = {3, 0, 3, 0, 2, 0, 0, 0};
    System.arraycopy(sequencerText, 0, sequencer, 0, 8);
    java.util.Arrays.fill(graphics, 0);
    graphics[GRAPHICS_MODE] = 0x10;
    graphics[GRAPHICS_MISC] = 0x0e;
    graphics[GRAPHICS_DONT_CARE] = 0x0f;
    graphics[GRAPHICS_BIT_MASK] = 0xff;
    attributeIndex = 0x20;
    attributeData = false;
    dacMask = 0xff;
    for (int i = 0; i < 64; i++) {
      for (int part = 0; part < 3; part++) {
        int bit = 2 - part;
        int strong = (i >>> bit & 1) * 42;
        int weak = (i >>> bit + 3 & 1) * 21;
        palette[3 * i + part] = (byte) (strong + weak);
      }
    }
  }

  boolean isColour() {
    return (misc & 1) != 0;
  }

  /** Whether the attribute controller shows anything. */
  boolean isShown() {
    return (attributeIndex & 0x20) != 0;
  }

  /** A port from 0x3b0 on, of those for the display that is chosen: colour or monochrome. */
  int read(int port) {
    return switch (port) {
      case 0x3c0 -> attributeIndex;
      case 0x3c1 -> attribute[attributeIndex & 0x1f];
      case 0x3c2 -> 0x10; // a monitor is there
      case 0x3c4 -> sequencerIndex;
      case 0x3c5 -> sequencer[sequencerIndex & 7];
      case 0x3c6 -> dacMask;
      case 0x3c7 -> dacWriting ? 0 : 3;
      case 0x3c8 -> dacWrite / 3;
      case 0x3c9 -> {
        int value = palette[dacRead];
        dacRead = (dacRead + 1) % palette.length;
        yield value;
      }
      case 0x3ca -> feature;
      case 0x3cc -> misc;
      case 0x3ce -> graphicsIndex;
      case 0x3cf -> graphics[graphicsIndex & 15];
      default -> (port & 0x3f0) == (isColour() ? 0x3d0 : 0x3b0) ? readCrtc(port & 15) : 0xff;
    };
  }

  private int readCrtc(int port) {
    return switch (port) {
      case 4 -> crtcIndex;
      case 5 -> crtc[crtcIndex];
      case 10 -> {
        // Retrace comes and goes for those who wait for either: each is read soon.
        attributeData = false;
        statusReads++;
        yield (statusReads & 7) < 4 ? 0 : (statusReads & 7) < 6 ? 1 : 9;
      }
      default -> 0xff;
    };
  }

  void write(int port, int value) {
    switch (port) {
      case 0x3c0 -> {
        if (attributeData) {
          attribute[attributeIndex & 0x1f] = value;
        } else {
          attributeIndex = value & 0x3f;
        }
        attributeData = !attributeData;
      }
      case 0x3c2 -> misc = value;
      case 0x3c4 -> sequencerIndex = value;
      case 0x3c5 -> sequencer[sequencerIndex & 7] = value;
      case 0x3c6 -> dacMask = value;
      case 0x3c7 -> {
        dacRead = value * 3;
        dacWriting = false;
      }
      case 0x3c8 -> {
        dacWrite = value * 3;
        dacWriting = true;
      }
      case 0x3c9 -> {
        palette[dacWrite] = (byte) (value & 0x3f);
        dacWrite = (dacWrite + 1) % palette.length;
      }
      case 0x3ce -> graphicsIndex = value;
      case 0x3cf -> graphics[graphicsIndex & 15] = value;
      default -> {
        if ((port & 0x3f0) == (isColour() ? 0x3d0 : 0x3b0)) {
          writeCrtc(port & 15, value);
        }
      }
    }
  }

  private void writeCrtc(int port, int value) {
    if (port == 4) {
      crtcIndex = value;
    } else if (port == 5) {
      boolean isProtected = (crtc[CRTC_RETRACE_END] & PROTECT) != 0 && crtcIndex <= CRTC_OVERFLOW;
      if (!isProtected) {
        crtc[crtcIndex] = value;
      } else if (crtcIndex == CRTC_OVERFLOW) {
        crtc[CRTC_OVERFLOW] = crtc[CRTC_OVERFLOW] & ~0x10 | value & 0x10;
      }
    } else if (port == 10) {
      feature = value;
    }
  }

  /** A colour of the palette, 0xRRGGBB. */
  int colour(int index) {
    int at = 3 * (index & dacMask);
    return wide(palette[at]) << 16 | wide(palette[at + 1]) << 8 | wide(palette[at + 2]);
  }

  private static int wide(int six) {
    return six << 2 | six >>> 4;
  }
}
