package parhelion.process;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Prints system calls in strace's manner, one line a call when it is done. Kinds of arguments in
 * the roster: {@code fd dir path str strings int hex ptr size mode sig time open prot map}; {@code
 * in} and {@code out} are buffers, as long as the next argument and as the result.
 */
final class Strace {
  private static final int SHOWN = 32;
  private static final String[] OPEN_FLAGS = {
    "40 O_CREAT",
    "80 O_EXCL",
    "100 O_NOCTTY",
    "200 O_TRUNC",
    "400 O_APPEND",
    "800 O_NONBLOCK",
    "10000 O_DIRECTORY",
    "20000 O_NOFOLLOW",
    "80000 O_CLOEXEC",
    "200000 O_PATH"
  };
  private static final String[] PROT_FLAGS = {"1 PROT_READ", "2 PROT_WRITE", "4 PROT_EXEC"};
  private static final String[] MAP_FLAGS = {
    "1 MAP_SHARED",
    "2 MAP_PRIVATE",
    "10 MAP_FIXED",
    "20 MAP_ANONYMOUS",
    "100 MAP_GROWSDOWN",
    "4000 MAP_NORESERVE",
    "20000 MAP_STACK",
    "100000 MAP_FIXED_NOREPLACE"
  };

  private final Consumer<String> out;

  Strace(Consumer<String> out) {
    this.out = out;
  }

  /** What must be read before the call: its name and its incoming arguments. */
  String before(Task task, @Nullable Syscall call, long number, long[] arguments) {
    if (call == null) {
      return "syscall_" + number + "(" + hex(arguments[0]) + ", " + hex(arguments[1]) + ", ...)";
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < call.arguments.length; i++) {
      String kind = call.arguments[i];
      texts.add(kind.equals("out") ? "\0" : decode(task, kind, arguments, i));
    }
    return Syscall.nameOf(number) + "(" + String.join(", ", texts) + ")";
  }

  void after(Task task, @Nullable Syscall call, long[] arguments, String decoded, long result) {
    String text = decoded;
    int hole = text.indexOf('\0');
    if (hole >= 0 && call != null) {
      int i = List.of(call.arguments).indexOf("out");
      String data = result >= 0 ? buffer(task, arguments[i], result) : hex(arguments[i]);
      text = text.substring(0, hole) + data + text.substring(hole + 1);
    }
    String value;
    if (result == Dispatcher.REGISTERS_SET) {
      value = "?";
    } else if (result < 0 && result > -4096) {
      value =
          switch ((int) -result) {
            case Errno.ERESTARTSYS, Errno.ERESTARTNOHAND -> "? (to be restarted)";
            default -> "-1 " + Errno.name((int) -result);
          };
      if (call == null) {
        value += " (not implemented)";
      }
    } else {
      value = result > 0xffff || result < 0 ? hex(result) : Long.toString(result);
    }
    out.accept("[pid %d] %s = %s".formatted(task.tid, text, value));
  }

  private static String decode(Task task, String kind, long[] arguments, int i) {
    long value = arguments[i];
    return switch (kind) {
      case "fd", "int" -> Integer.toString((int) value);
      case "dir" -> (int) value == NameCalls.AT_FDCWD ? "AT_FDCWD" : Integer.toString((int) value);
      case "size" -> Long.toUnsignedString(value);
      case "mode" -> "0" + Long.toOctalString(value & 0xffff);
      case "sig" -> Signals.name((int) value & 127);
      case "path", "str" -> string(task, value);
      case "strings" -> strings(task, value);
      case "in" -> buffer(task, value, arguments[i + 1]);
      case "time" -> time(task, value);
      case "open" -> open(value);
      case "prot" -> value == 0 ? "PROT_NONE" : flags(PROT_FLAGS, value);
      case "map" -> flags(MAP_FLAGS, value);
      default -> value == 0 ? (kind.equals("ptr") ? "NULL" : "0") : hex(value);
    };
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static String open(long value) {
    String access =
        switch ((int) value & 3) {
          case 0 -> "O_RDONLY";
          case 1 -> "O_WRONLY";
          default -> "O_RDWR";
        };
    long rest = value & ~3L;
    return rest == 0 ? access : access + "|" + flags(OPEN_FLAGS, rest);
  }

  private static String flags(String[] names, long value) {
    StringBuilder text = new StringBuilder();
    long rest = value;
    for (String row : names) {
      int space = row.indexOf(' ');
      long bit = Long.parseLong(row.substring(0, space), 16);
      if ((rest & bit) != 0) {
        text.append(text.isEmpty() ? "" : "|").append(row, space + 1, row.length());
        rest &= ~bit;
      }
    }
    if (rest != 0) {
      text.append(text.isEmpty() ? "" : "|").append(hex(rest));
    }
    return text.isEmpty() ? "0" : text.toString();
  }

  private static String string(Task task, long va) {
    try {
      return quote(task.memory().path(va), Integer.MAX_VALUE);
    } catch (LinuxError e) {
      return va == 0 ? "NULL" : hex(va);
    }
  }

  private static String strings(Task task, long va) {
    List<String> texts = new ArrayList<>();
    try {
      for (int i = 0; i < SHOWN; i++) {
        long at = task.memory().get64(va + i * 8L);
        if (at == 0) {
          return "[" + String.join(", ", texts) + "]";
        }
        texts.add(quote(task.memory().path(at), SHOWN));
      }
    } catch (LinuxError e) {
      return hex(va);
    }
    return "[" + String.join(", ", texts) + ", ...]";
  }

  private static String buffer(Task task, long va, long length) {
    try {
      int shown = (int) Math.clamp(length, 0, SHOWN + 1);
      byte[] bytes = task.memory().bytes(va, shown);
      return quote(new String(bytes, StandardCharsets.ISO_8859_1), SHOWN);
    } catch (LinuxError e) {
      return hex(va);
    }
  }

  private static String time(Task task, long va) {
    try {
      return va == 0
          ? "NULL"
          : "{%d, %d}".formatted(task.memory().get64(va), task.memory().get64(va + 8));
    } catch (LinuxError e) {
      return hex(va);
    }
  }

  private static String quote(String text, int limit) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < Math.min(limit, text.length()); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> quoted.append("\\n");
        case '\t' -> quoted.append("\\t");
        case '\r' -> quoted.append("\\r");
        case '"', '\\' -> quoted.append('\\').append(c);
        default -> {
          if (c >= ' ' && c < 127) {
            quoted.append(c);
          } else {
            quoted.append('\\').append(Integer.toOctalString(c));
          }
        }
      }
    }
    return quoted.append(text.length() > limit ? "\"..." : "\"").toString();
  }
}
