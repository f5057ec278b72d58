package parhelion.process.file;

import org.jspecify.annotations.Nullable;

/** Opened with O_PATH: a place, not content. */
final class PathFile extends OpenFile {
  private final Node node;

  PathFile(int flags, Node node) {
    super(flags);
    this.node = node;
  }

  @Override
  public FileStat stat() {
    return node.stat();
  }

  @Override
  public @Nullable Node node() {
    return node;
  }

  @Override
  protected void closed() {
    node.close();
  }
}
