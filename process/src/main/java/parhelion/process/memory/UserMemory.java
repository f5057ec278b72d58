package parhelion.process.memory;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import parhelion.cpu.Access;
import parhelion.cpu.memory.MachineMemory;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * Copies between system calls and the caller's memory. Every access goes through the address space,
 * so a pointer to nothing is EFAULT, whatever it is. Used under the kernel's lock.
 */
public final class UserMemory {
  private final AddressSpace space;
  private final MachineMemory memory;

  public UserMemory(AddressSpace space) {
    this.space = space;
    memory = space.pool().memory();
  }

  private long pa(long va, int access) {
    long result = space.translate(va, access);
    if (result < 0) {
      throw new LinuxError(Errno.EFAULT);
    }
    return (result & -4096L) | (va & 4095);
  }

  private static int partOf(long va, int left) {
    return Math.min(left, 4096 - (int) (va & 4095));
  }

  public void read(long va, byte[] into, int offset, int length) {
    for (int done = 0; done < length; ) {
      int part = partOf(va + done, length - done);
      memory.read(pa(va + done, Access.READ), into, offset + done, part);
      done += part;
    }
  }

  public void write(long va, byte[] from, int offset, int length) {
    for (int done = 0; done < length; ) {
      int part = partOf(va + done, length - done);
      memory.write(pa(va + done, Access.WRITE), from, offset + done, part);
      done += part;
    }
  }

  public byte[] bytes(long va, int length) {
    byte[] result = new byte[length];
    read(va, result, 0, length);
    return result;
  }

  public void bytes(long va, byte[] from) {
    write(va, from, 0, from.length);
  }

  /** How many of {@code length} bytes from {@code va} can be accessed, from the first on. */
  public long accessible(long va, long length, int access) {
    long done = 0;
    while (done < length) {
      if (space.translate(va + done, access) < 0) {
        return done;
      }
      done += 4096 - ((va + done) & 4095);
    }
    return length;
  }

  public void clear(long va, long length) {
    for (long done = 0; done < length; ) {
      int part = (int) Math.min(length - done, 4096 - ((va + done) & 4095));
      memory.fill(pa(va + done, Access.WRITE), part, (byte) 0);
      done += part;
    }
  }

  public long get64(long va) {
    if ((va & 4095) <= 4088) {
      return memory.getLong(pa(va, Access.READ));
    }
    return (get32(va) & 0xffff_ffffL) | (long) get32(va + 4) << 32;
  }

  public int get32(long va) {
    if ((va & 4095) <= 4092) {
      return memory.getInt(pa(va, Access.READ));
    }
    return get16(va) | get16(va + 2) << 16;
  }

  public int get16(long va) {
    return get8(va) | get8(va + 1) << 8;
  }

  public int get8(long va) {
    return memory.getByte(pa(va, Access.READ)) & 0xff;
  }

  public void put64(long va, long value) {
    if ((va & 4095) <= 4088) {
      memory.putLong(pa(va, Access.WRITE), value);
    } else {
      checkWritable(va, 8);
      put32(va, (int) value);
      put32(va + 4, (int) (value >>> 32));
    }
  }

  public void put32(long va, int value) {
    if ((va & 4095) <= 4092) {
      memory.putInt(pa(va, Access.WRITE), value);
    } else {
      checkWritable(va, 4);
      for (int i = 0; i < 4; i++) {
        put8(va + i, value >>> (8 * i));
      }
    }
  }

  public void put16(long va, int value) {
    put8(va, value);
    put8(va + 1, value >>> 8);
  }

  public void put8(long va, int value) {
    memory.putByte(pa(va, Access.WRITE), (byte) value);
  }

  public void checkWritable(long va, long length) {
    if (accessible(va, length, Access.WRITE) != length) {
      throw new LinuxError(Errno.EFAULT);
    }
  }

  /** Replaces {@code expected} by {@code value}; returns what was there. */
  public int compareAndExchange32(long va, int expected, int value) {
    int old = get32(va);
    if (old == expected) {
      put32(va, value);
    }
    return old;
  }

  /** Machine address of a word that futexes of several processes may share. */
  public long machineAddress(long va) {
    return pa(va, Access.WRITE);
  }

  /** A C string of at most {@code limit} bytes, a byte a character; {@code tooLong} beyond. */
  public String string(long va, int limit, int tooLong) {
    byte[] buffer = new byte[64];
    int length = 0;
    while (true) {
      int part = partOf(va + length, 4096);
      if (buffer.length < length + part) {
        buffer = Arrays.copyOf(buffer, length + part);
      }
      read(va + length, buffer, length, part);
      for (int i = length; i < length + part; i++) {
        if (buffer[i] == 0) {
          if (i >= limit) {
            throw new LinuxError(tooLong);
          }
          return new String(buffer, 0, i, StandardCharsets.ISO_8859_1);
        }
      }
      length += part;
      if (length > limit) {
        throw new LinuxError(tooLong);
      }
    }
  }

  /** A path name: at most 4,095 bytes. */
  public String path(long va) {
    return string(va, 4096, Errno.ENAMETOOLONG);
  }
}
