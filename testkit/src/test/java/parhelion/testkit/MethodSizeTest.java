package parhelion.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * HotSpot never compiles a method of more than 8,000 bytes of bytecode (HugeMethodLimit): an
 * interpreter loop that grows past it becomes twenty times slower without a word. This test says
 * the word. Static initialisers may be long: they run once, and that of a long enum always is.
 */
final class MethodSizeTest {
  private static final int HUGE_METHOD_LIMIT_BYTES = 8_000;

  @Test
  void noMethodIsTooLongForHotSpotToCompile() {
    List<String> tooLong = new ArrayList<>();
    int methods = 0;
    for (ProductionClasses.ClassBytes file : ProductionClasses.all()) {
      ClassModel model = ClassFile.of().parse(file.bytes());
      methods += model.methods().size();
      tooLong.addAll(tooLong(model));
    }
    assertFalse(methods == 0, "no method was seen at all");
    assertEquals(List.of(), tooLong, "methods of more than 8,000 bytes of bytecode");
  }

  @Test
  void theLimitIsSeenToBeCrossed() {
    assertEquals(List.of(), tooLong(classWithMethodOf(HUGE_METHOD_LIMIT_BYTES)));
    assertEquals(
        List.of("Sample.sample: 8001 bytes"),
        tooLong(classWithMethodOf(HUGE_METHOD_LIMIT_BYTES + 1)));
  }

  private static List<String> tooLong(ClassModel model) {
    List<String> found = new ArrayList<>();
    for (var method : model.methods()) {
      if (!method.methodName().equalsString(ConstantDescs.CLASS_INIT_NAME)
          && method.code().orElse(null) instanceof CodeAttribute code
          && code.codeLength() > HUGE_METHOD_LIMIT_BYTES) {
        found.add(
            "%s.%s: %d bytes"
                .formatted(
                    model.thisClass().asInternalName().replace('/', '.'),
                    method.methodName().stringValue(),
                    code.codeLength()));
      }
    }
    return found;
  }

  private static ClassModel classWithMethodOf(int lengthBytes) {
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of("Sample"),
                type ->
                    type.withMethodBody(
                        "sample",
                        MethodTypeDesc.of(ConstantDescs.CD_void),
                        ClassFile.ACC_STATIC,
                        code -> {
                          for (int i = 1; i < lengthBytes; i++) {
                            code.nop();
                          }
                          code.return_();
                        }));
    return ClassFile.of().parse(bytes);
  }
}
