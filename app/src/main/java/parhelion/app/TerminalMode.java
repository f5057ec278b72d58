package parhelion.app;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The terminal's settings (termios), kept and put back as they are by the C library itself: JLine's
 * terminal loses the line's speed, which hangs up a serial line, and lets ^C from outside end the
 * JVM without putting anything back. In raw mode every key goes to the guest, ^C too, and every
 * byte that the guest prints goes to the terminal.
 */
final class TerminalMode {
  /** More than any system's struct termios has. */
  private static final long TERMIOS_BYTES = 256;

  private static final long WINSIZE_BYTES = 8;
  private static final long TIOCGWINSZ = 0x5413;
  private static final long TIOCGWINSZ_BSD = 0x4008_7468;
  private static final int STANDARD_INPUT = 0;
  private static final int TCSADRAIN = 1;

  private final MethodHandle tcsetattr;
  private final MethodHandle cfmakeraw;
  private final MethodHandle ioctl;
  private final MemorySegment saved;
  private boolean restored;

  private TerminalMode(
      MethodHandle tcsetattr, MethodHandle cfmakeraw, MethodHandle ioctl, MemorySegment saved) {
    this.tcsetattr = tcsetattr;
    this.cfmakeraw = cfmakeraw;
    this.ioctl = ioctl;
    this.saved = saved;
  }

  /** The mode that the terminal at standard input is in now. */
  static TerminalMode save() {
    Linker linker = Linker.nativeLinker();
    SymbolLookup libc = linker.defaultLookup();
    MethodHandle get =
        linker.downcallHandle(
            libc.findOrThrow("tcgetattr"), FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    MemorySegment saved = Arena.global().allocate(TERMIOS_BYTES);
    try {
      int rc = (int) get.invokeExact(STANDARD_INPUT, saved);
      if (rc != 0) {
        throw new IllegalStateException("standard input is no terminal");
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    return new TerminalMode(
        linker.downcallHandle(
            libc.findOrThrow("tcsetattr"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS)),
        linker.downcallHandle(libc.findOrThrow("cfmakeraw"), FunctionDescriptor.ofVoid(ADDRESS)),
        linker.downcallHandle(
            libc.findOrThrow("ioctl"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
            Linker.Option.firstVariadicArg(2)),
        saved);
  }

  /** Puts the terminal into raw mode; no more once it is back in its own: the process ends. */
  synchronized void raw() {
    if (restored) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment raw = arena.allocate(TERMIOS_BYTES);
      raw.copyFrom(saved);
      cfmakeraw.invokeExact(raw);
      set(raw);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Puts the terminal back into the mode that was saved. */
  synchronized void restore() {
    restored = true;
    try {
      set(saved);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Its columns and rows; zeroes where it does not say. */
  int[] size() {
    boolean linux = System.getProperty("os.name", "").equals("Linux");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment winsize = arena.allocate(WINSIZE_BYTES);
      int rc =
          (int) ioctl.invokeExact(STANDARD_INPUT, linux ? TIOCGWINSZ : TIOCGWINSZ_BSD, winsize);
      int rows = winsize.get(JAVA_SHORT, 0) & 0xffff;
      int columns = winsize.get(JAVA_SHORT, 2) & 0xffff;
      return rc == 0 ? new int[] {columns, rows} : new int[2];
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** A terminal that is gone meanwhile has no settings, so the result says nothing. */
  private void set(MemorySegment mode) throws Throwable {
    int ignored = (int) tcsetattr.invokeExact(STANDARD_INPUT, TCSADRAIN, mode);
  }
}
