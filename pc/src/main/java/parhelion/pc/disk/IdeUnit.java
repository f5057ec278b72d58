package parhelion.pc.disk;

/** A drive on an IDE cable with the registers that it has: now, and what they were before. */
final class IdeUnit {
  static final int COUNT = 2;
  static final int LBA_LOW = 3;
  static final int LBA_MID = 4;
  static final int LBA_HIGH = 5;
  static final int DEVICE = 6;
  static final int REGISTERS = 8;
  private static final int FEATURE = 1;

  final Drive drive;
  final int[] now = new int[REGISTERS];
  final int[] before = new int[REGISTERS];
  int status;
  int error;

  IdeUnit(Drive drive) {
    this.drive = drive;
    sign();
  }

  /** What a reset leaves, by which software tells devices apart. */
  void sign() {
    now[COUNT] = 1;
    now[LBA_LOW] = 1;
    now[LBA_MID] = drive.isPacketDevice() ? 0x14 : 0;
    now[LBA_HIGH] = drive.isPacketDevice() ? 0xeb : 0;
    now[DEVICE] = 0;
    error = 1;
    status = drive.isPacketDevice() ? 0 : Taskfile.STATUS_GOOD;
  }

  void write(int register, int value) {
    before[register] = now[register];
    now[register] = value;
  }

  private int wide(int register) {
    return now[register] | before[register] << 8;
  }

  /** A command with what the registers hold. */
  Taskfile task(int command) {
    Taskfile task = new Taskfile();
    task.command = command;
    task.feature = wide(FEATURE);
    task.count = wide(COUNT);
    task.device = now[DEVICE];
    for (int i = 0; i < 3; i++) {
      task.lba |= (long) now[LBA_LOW + i] << 8 * i;
      task.lba |= (long) before[LBA_LOW + i] << 24 + 8 * i;
    }
    return task;
  }

  /** Takes the outcome of a command. */
  void take(Taskfile task) {
    status = task.status;
    error = task.error;
    now[COUNT] = task.count & 0xff;
    before[COUNT] = task.count >>> 8 & 0xff;
    for (int i = 0; i < 3; i++) {
      now[LBA_LOW + i] = (int) (task.lba >>> 8 * i) & 0xff;
      before[LBA_LOW + i] = (int) (task.lba >>> 24 + 8 * i) & 0xff;
    }
    now[DEVICE] = task.device;
  }
}
