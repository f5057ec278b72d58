package parhelion.process;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.Cpu;
import parhelion.cpu.Cpuid;
import parhelion.process.file.Devices;
import parhelion.process.memory.AddressSpace;
import parhelion.process.memory.UserMemory;

/** The stack that a program finds: strings, auxiliary vector, environment, arguments. */
final class ProgramStack {
  private static final int MAX_STRING = 128 << 10;
  private static final int MAX_TOTAL = 2 << 20;
  private static final int AT_PHDR = 3;
  private static final int AT_PHENT = 4;
  private static final int AT_PHNUM = 5;
  private static final int AT_PAGESZ = 6;
  private static final int AT_BASE = 7;
  private static final int AT_FLAGS = 8;
  private static final int AT_ENTRY = 9;
  private static final int AT_UID = 11;
  private static final int AT_EUID = 12;
  private static final int AT_GID = 13;
  private static final int AT_EGID = 14;
  private static final int AT_PLATFORM = 15;
  private static final int AT_HWCAP = 16;
  private static final int AT_CLKTCK = 17;
  private static final int AT_SECURE = 23;
  private static final int AT_RANDOM = 25;
  private static final int AT_HWCAP2 = 26;
  private static final int AT_EXECFN = 31;

  /** FSGSBASE instructions may be used. */
  private static final int HWCAP2_FSGSBASE = 2;

  private final UserMemory memory;
  private final AddressSpace space;
  private final int initialBytes;
  private final boolean executable;
  private final Cpu cpu;
  private final String path;
  private long at;

  ProgramStack(AddressSpace space, int initialBytes, boolean executable, Cpu cpu, String path) {
    this.space = space;
    this.initialBytes = initialBytes;
    this.executable = executable;
    this.cpu = cpu;
    this.path = path;
    memory = new UserMemory(space);
  }

  private long push(String text) {
    byte[] bytes = (text + "\0").getBytes(StandardCharsets.ISO_8859_1);
    at -= bytes.length;
    memory.bytes(at, bytes);
    return at;
  }

  private List<Long> push(List<String> texts) {
    Long[] addresses = new Long[texts.size()];
    for (int i = texts.size() - 1; i >= 0; i--) {
      addresses[i] = push(texts.get(i));
    }
    return List.of(addresses);
  }

  private static long checkedBytes(List<String> texts) {
    long sum = 0;
    for (String text : texts) {
      if (text.length() >= MAX_STRING) {
        throw new LinuxError(Errno.E2BIG);
      }
      sum += text.length() + 9;
    }
    return sum;
  }

  /** Maps and fills the stack; returns the stack pointer. */
  long build(
      List<String> arguments, List<String> environment, long bias, ElfProgram elf, long base) {
    long strings = checkedBytes(arguments) + checkedBytes(environment);
    if (strings > MAX_TOTAL) {
      throw new LinuxError(Errno.E2BIG);
    }
    long bytes = (strings + initialBytes + 4095) & -4096L;
    int rights = AddressSpace.READ | AddressSpace.WRITE | (executable ? AddressSpace.EXECUTE : 0);
    space.map(AddressSpace.TOP - bytes, bytes, rights, null, 0, true);
    at = AddressSpace.TOP - 8;
    long name = push(path);
    List<Long> env = push(environment);
    List<Long> args = push(arguments);
    long platform = push("x86_64");
    at = (at - 16) & -16L;
    byte[] random = new byte[16];
    Devices.random(random, 16);
    memory.bytes(at, random);
    List<Long> words = new ArrayList<>();
    words.add((long) args.size());
    words.addAll(args);
    words.add(0L);
    words.addAll(env);
    words.add(0L);
    pair(words, AT_HWCAP, Cpuid.query(cpu, 1, 0)[3] & 0xffff_ffffL);
    pair(words, AT_PAGESZ, 4096);
    pair(words, AT_CLKTCK, 100);
    pair(words, AT_PHDR, elf.headersVa == 0 ? 0 : elf.headersVa + bias);
    pair(words, AT_PHENT, 56);
    pair(words, AT_PHNUM, elf.headerCount);
    pair(words, AT_BASE, base);
    pair(words, AT_FLAGS, 0);
    pair(words, AT_ENTRY, elf.entry + bias);
    pair(words, AT_UID, Identity.uid());
    pair(words, AT_EUID, Identity.uid());
    pair(words, AT_GID, Identity.gid());
    pair(words, AT_EGID, Identity.gid());
    pair(words, AT_SECURE, 0);
    pair(words, AT_RANDOM, at);
    pair(words, AT_HWCAP2, HWCAP2_FSGSBASE);
    pair(words, AT_EXECFN, name);
    pair(words, AT_PLATFORM, platform);
    pair(words, 0, 0);
    at = (at - words.size() * 8L) & -16L;
    byte[] block = new byte[words.size() * 8];
    for (int i = 0; i < words.size(); i++) {
      Bytes.put64(block, i * 8, words.get(i));
    }
    memory.bytes(at, block);
    return at;
  }

  private static void pair(List<Long> words, int tag, long value) {
    words.add((long) tag);
    words.add(value);
  }
}
