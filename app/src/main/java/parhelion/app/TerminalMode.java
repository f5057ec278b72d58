package parhelion.app;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The terminal's settings (termios), kept and put back as they are by the C library itself: JLine
 * loses the line's speed, which hangs up a serial line. In raw mode every key goes to the guest, ^C
 * too, and every byte that the guest prints goes to the terminal.
 */
final class TerminalMode {
  /** More than any system's struct termios has. */
  private static final long TERMIOS_BYTES = 256;

  private static final int STANDARD_INPUT = 0;
  private static final int TCSADRAIN = 1;

  private final MethodHandle tcsetattr;
  private final MethodHandle cfmakeraw;
  private final MemorySegment saved;

  private TerminalMode(MethodHandle tcsetattr, MethodHandle cfmakeraw, MemorySegment saved) {
    this.tcsetattr = tcsetattr;
    this.cfmakeraw = cfmakeraw;
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
        saved);
  }

  /** Puts the terminal into raw mode. */
  void raw() {
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
  void restore() {
    try {
      set(saved);
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
