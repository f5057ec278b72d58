package parhelion.pc.virtio;

import parhelion.pc.Registers;
import parhelion.pc.pci.PciFunction;

/**
 * The registers of virtio over PCI: the common configuration, the ISR byte, the device's own
 * configuration and the bells, a page each; and the window in configuration space through which
 * firmware reaches them without their range being mapped (section 4.1.4).
 */
final class VirtioRegisters implements Registers {
  private static final int VENDOR_CAPABILITY = 9;
  private static final int REGISTER_BAR = 4;
  private static final int PAGE = 0x1000;
  private static final int COMMON = 1;
  private static final int NOTIFY = 2;
  private static final int ISR = 3;
  private static final int DEVICE = 4;
  private static final int WINDOW = 5;
  private static final int COMMON_BYTES = 56;
  private static final int NOTIFY_STRIDE = 4;

  private final VirtioPci transport;
  private final VirtioDevice device;
  private int deviceFeatureSelect;
  private int driverFeatureSelect;
  private int queueSelect;

  VirtioRegisters(VirtioPci transport, VirtioDevice device) {
    this.transport = transport;
    this.device = device;
  }

  /** Adds the range and the capabilities that point into it. */
  void describe(PciFunction function, String name) {
    capability(function, COMMON, 0, COMMON_BYTES);
    capability(function, ISR, PAGE, 1);
    capability(function, DEVICE, 2 * PAGE, Math.max(4, device.config().length));
    int bells = transport.queueCount() * NOTIFY_STRIDE;
    int notify = capability(function, NOTIFY, 3 * PAGE, bells, NOTIFY_STRIDE);
    assert function.get(notify + 16, 4) == NOTIFY_STRIDE;
    int window = capability(function, WINDOW, 0, 0, 0);
    function.writable(window + 4, 1, 0xff);
    function.writable(window + 8, 4, -1);
    function.writable(window + 12, 4, -1);
    function.writable(window + 16, 4, -1);
    function.onRead(window + 16, 4, () -> readWindow(function, window));
    function.onWrite(window + 16, 4, () -> writeWindow(function, window));
    function.memory64(REGISTER_BAR, 4 * PAGE, name, this);
    function.onReset(
        () -> {
          deviceFeatureSelect = 0;
          driverFeatureSelect = 0;
          queueSelect = 0;
        });
  }

  private static int capability(
      PciFunction function, int type, int offset, int length, int... more) {
    int at = function.capability(VENDOR_CAPABILITY, new byte[14 + 4 * more.length]);
    function.set(at + 2, 1, 16 + 4 * more.length);
    function.set(at + 3, 1, type);
    function.set(at + 4, 1, REGISTER_BAR);
    function.set(at + 8, 4, offset);
    function.set(at + 12, 4, length);
    for (int i = 0; i < more.length; i++) {
      function.set(at + 16 + 4 * i, 4, more[i]);
    }
    return at;
  }

  private static boolean isWindowSane(PciFunction function, int window) {
    int length = function.get(window + 12, 4);
    long offset = Integer.toUnsignedLong(function.get(window + 8, 4));
    return function.get(window + 4, 1) == REGISTER_BAR
        && (length == 1 || length == 2 || length == 4)
        && offset % length == 0
        && offset + length <= 4 * PAGE;
  }

  private void readWindow(PciFunction function, int window) {
    if (isWindowSane(function, window)) {
      int value = (int) read(function.get(window + 8, 4), function.get(window + 12, 4));
      function.set(window + 16, 4, value);
    }
  }

  private void writeWindow(PciFunction function, int window) {
    if (isWindowSane(function, window)) {
      int size = function.get(window + 12, 4);
      long value = Integer.toUnsignedLong(function.get(window + 16, 4));
      write(function.get(window + 8, 4), size, size == 4 ? value : value & (1L << 8 * size) - 1);
    }
  }

  @Override
  public long read(long offset, int size) {
    int at = (int) offset & PAGE - 1;
    return switch ((int) (offset / PAGE)) {
      case 0 -> common(at, size);
      case 1 -> at == 0 ? transport.takeIsr() : 0;
      case 2 -> config(at, size);
      default -> 0;
    };
  }

  private long config(int at, int size) {
    byte[] config = device.config();
    long value = 0;
    for (int i = 0; i < size && at + i < config.length; i++) {
      value |= (config[at + i] & 0xffL) << 8 * i;
    }
    return value;
  }

  private Virtqueue selected() {
    return transport.queue(queueSelect);
  }

  private boolean queueExists() {
    return queueSelect < transport.queueCount();
  }

  private static int half(long features, int select) {
    return select == 0 ? (int) features : select == 1 ? (int) (features >>> 32) : 0;
  }

  private long common(int at, int size) {
    if (size == 8) {
      return Integer.toUnsignedLong((int) common(at, 4)) | common(at + 4, 4) << 32;
    }
    return switch (at) {
      case 0 -> deviceFeatureSelect;
      case 4 -> half(transport.offeredFeatures(), deviceFeatureSelect);
      case 8 -> driverFeatureSelect;
      case 12 -> half(transport.driverFeatures(), driverFeatureSelect);
      case 16 -> transport.configVector();
      case 18 -> transport.queueCount();
      case 20 -> transport.status();
      case 21 -> transport.generation();
      case 22 -> queueSelect;
      default -> queueExists() ? queueRegister(selected(), at) : 0;
    };
  }

  private long queueRegister(Virtqueue queue, int at) {
    return switch (at) {
      case 24 -> queue.size;
      case 26 -> queue.vector;
      case 28 -> queue.isEnabled() ? 1 : 0;
      case 30 -> queueSelect;
      case 32 -> (int) queue.descriptors;
      case 36 -> (int) (queue.descriptors >>> 32);
      case 40 -> (int) queue.available;
      case 44 -> (int) (queue.available >>> 32);
      case 48 -> (int) queue.used;
      case 52 -> (int) (queue.used >>> 32);
      default -> 0;
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    int at = (int) offset & PAGE - 1;
    switch ((int) (offset / PAGE)) {
      case 0 -> writeCommon(at, size, value);
      case 2 -> {
        for (int i = 0; i < size && at + i < device.config().length; i++) {
          device.configWritten(at + i, (int) (value >>> 8 * i) & 0xff);
        }
      }
      case 3 -> transport.notified(at / NOTIFY_STRIDE);
      default -> {}
    }
  }

  private void writeCommon(int at, int size, long value) {
    if (size == 8) {
      writeCommon(at, 4, value & 0xffff_ffffL);
      writeCommon(at + 4, 4, value >>> 32);
      return;
    }
    int v = (int) value;
    switch (at) {
      case 0 -> deviceFeatureSelect = v;
      case 8 -> driverFeatureSelect = v;
      case 12 -> {
        if (driverFeatureSelect == 0 || driverFeatureSelect == 1) {
          transport.setDriverFeatures(
              replaced(transport.driverFeatures(), driverFeatureSelect == 1, v));
        }
      }
      case 16 -> transport.setConfigVector(v & 0xffff);
      case 20 -> transport.setStatus(v & 0xff);
      case 22 -> queueSelect = v & 0xffff;
      default -> {
        if (queueExists()) {
          writeQueue(selected(), at, v);
        }
      }
    }
  }

  private static long replaced(long old, boolean upper, int value) {
    return upper
        ? old & 0xffff_ffffL | (long) value << 32
        : old & ~0xffff_ffffL | Integer.toUnsignedLong(value);
  }

  /** What a queue is may be changed until it is enabled; its vector always. */
  private void writeQueue(Virtqueue queue, int at, int value) {
    if (at == 26) {
      queue.vector = transport.checkedVector(value & 0xffff);
      return;
    }
    if (queue.isEnabled()) {
      return;
    }
    switch (at) {
      case 24 -> queue.size = value & 0xffff;
      case 28 -> {
        if ((value & 0xffff) == 1) {
          transport.enable(queue);
        }
      }
      case 32, 36 -> queue.descriptors = replaced(queue.descriptors, at == 36, value);
      case 40, 44 -> queue.available = replaced(queue.available, at == 44, value);
      case 48, 52 -> queue.used = replaced(queue.used, at == 52, value);
      default -> {}
    }
  }
}
