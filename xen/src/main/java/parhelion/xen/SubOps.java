package parhelion.xen;

import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.Numbered;
import parhelion.abi.Struct;
import parhelion.abi.SubOp;

/**
 * The sub-ops of one hypercall, each row pairing the op with its argument structure and its method.
 * The structure is copied in once, whole, before the method runs, and for {@code inOut} rows copied
 * back, whole, after it has succeeded.
 *
 * @param <O> the roster in parhelion.abi
 */
public final class SubOps<O extends Enum<O> & Numbered> {
  /** Reads an argument structure. */
  @FunctionalInterface
  public interface Reader<A> {
    A read(Bytes b, long at);
  }

  /** A sub-op that takes a structure. */
  @FunctionalInterface
  public interface In<A> {
    long call(Vcpu v, A args);
  }

  /** A sub-op that takes a structure and answers in it: {@code out} is what will be copied back. */
  @FunctionalInterface
  public interface InOut<A> {
    long call(Vcpu v, A args, Bytes out);
  }

  /** A sub-op that takes its argument as it is. */
  @FunctionalInterface
  public interface Raw {
    long call(Vcpu v, long arg);
  }

  private final Raw[] rows;
  private final O[] ops;

  public SubOps(Class<O> roster) {
    O[] all = roster.getEnumConstants();
    int size = 0;
    for (O op : all) {
      size = Math.max(size, op.nr() + 1);
    }
    rows = new Raw[size];
    java.util.Arrays.fill(rows, UNKNOWN);
    ops = all;
  }

  private static final Raw UNKNOWN =
      (v, arg) -> {
        throw new XenError(Errno.ENOSYS);
      };

  public SubOps<O> raw(O op, Raw method) {
    if (rows[op.nr()] != UNKNOWN) {
      throw new IllegalStateException(op.cName() + " twice");
    }
    rows[op.nr()] = method;
    return this;
  }

  public <A> SubOps<O> in(O op, Reader<A> reader, In<A> method) {
    Struct struct = struct(op);
    return raw(op, (v, arg) -> method.call(v, reader.read(v.guest().in(arg, struct), 0)));
  }

  public <A> SubOps<O> inOut(O op, Reader<A> reader, InOut<A> method) {
    Struct struct = struct(op);
    return raw(
        op,
        (v, arg) -> {
          byte[] bytes = v.guest().copyIn(arg, struct.size());
          Bytes b = Bytes.of(bytes);
          long result = method.call(v, reader.read(b, 0), b);
          if (result >= 0) {
            v.guest().copyOut(arg, bytes);
          }
          return result;
        });
  }

  private static Struct struct(Numbered op) {
    Struct struct = op instanceof SubOp s ? s.argument() : null;
    if (struct == null) {
      throw new IllegalStateException(op.cName() + " has no structure");
    }
    return struct;
  }

  /** Runs sub-op {@code cmd}; ENOSYS if there is none. */
  public long call(Vcpu v, long cmd, long arg) {
    long nr = cmd & 0xffff_ffffL;
    if (nr >= rows.length) {
      throw new XenError(Errno.ENOSYS);
    }
    return rows[(int) nr].call(v, arg);
  }

  /** The row's op, or null for a number that is none. */
  public @Nullable O op(long cmd) {
    for (O op : ops) {
      if (op.nr() == cmd) {
        return op;
      }
    }
    return null;
  }

  /** Whether the op has a method. */
  public boolean handles(O op) {
    return rows[op.nr()] != UNKNOWN;
  }
}
