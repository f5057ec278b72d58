package parhelion.cpu.decode;

/**
 * Rows of the opcode map: VEX encodings of AVX, AVX2, FMA, F16C, BMI1 and BMI2. {@link OpcodeMap}
 * describes the notation.
 */
final class VexRows {
  static final String ROWS =
      """
      @ AVX sse vex
      ; Integer, as in SSE: 128 bits are AVX, 256 bits AVX2
      66 0F 60 L0      VPUNPCKLBW   Vx,Hx,Wx
      66 0F 60 L1      VPUNPCKLBW   Vx,Hx,Wx       AVX2
      66 0F 61 L0      VPUNPCKLWD   Vx,Hx,Wx
      66 0F 61 L1      VPUNPCKLWD   Vx,Hx,Wx       AVX2
      66 0F 62 L0      VPUNPCKLDQ   Vx,Hx,Wx
      66 0F 62 L1      VPUNPCKLDQ   Vx,Hx,Wx       AVX2
      66 0F 63 L0      VPACKSSWB    Vx,Hx,Wx
      66 0F 63 L1      VPACKSSWB    Vx,Hx,Wx       AVX2
      66 0F 64 L0      VPCMPGTB     Vx,Hx,Wx
      66 0F 64 L1      VPCMPGTB     Vx,Hx,Wx       AVX2
      66 0F 65 L0      VPCMPGTW     Vx,Hx,Wx
      66 0F 65 L1      VPCMPGTW     Vx,Hx,Wx       AVX2
      66 0F 66 L0      VPCMPGTD     Vx,Hx,Wx
      66 0F 66 L1      VPCMPGTD     Vx,Hx,Wx       AVX2
      66 0F 67 L0      VPACKUSWB    Vx,Hx,Wx
      66 0F 67 L1      VPACKUSWB    Vx,Hx,Wx       AVX2
      66 0F 68 L0      VPUNPCKHBW   Vx,Hx,Wx
      66 0F 68 L1      VPUNPCKHBW   Vx,Hx,Wx       AVX2
      66 0F 69 L0      VPUNPCKHWD   Vx,Hx,Wx
      66 0F 69 L1      VPUNPCKHWD   Vx,Hx,Wx       AVX2
      66 0F 6A L0      VPUNPCKHDQ   Vx,Hx,Wx
      66 0F 6A L1      VPUNPCKHDQ   Vx,Hx,Wx       AVX2
      66 0F 6B L0      VPACKSSDW    Vx,Hx,Wx
      66 0F 6B L1      VPACKSSDW    Vx,Hx,Wx       AVX2
      66 0F 74 L0      VPCMPEQB     Vx,Hx,Wx
      66 0F 74 L1      VPCMPEQB     Vx,Hx,Wx       AVX2
      66 0F 75 L0      VPCMPEQW     Vx,Hx,Wx
      66 0F 75 L1      VPCMPEQW     Vx,Hx,Wx       AVX2
      66 0F 76 L0      VPCMPEQD     Vx,Hx,Wx
      66 0F 76 L1      VPCMPEQD     Vx,Hx,Wx       AVX2
      66 0F D1 L0      VPSRLW       Vx,Hx,Wdq
      66 0F D1 L1      VPSRLW       Vx,Hx,Wdq      AVX2
      66 0F D2 L0      VPSRLD       Vx,Hx,Wdq
      66 0F D2 L1      VPSRLD       Vx,Hx,Wdq      AVX2
      66 0F D3 L0      VPSRLQ       Vx,Hx,Wdq
      66 0F D3 L1      VPSRLQ       Vx,Hx,Wdq      AVX2
      66 0F D4 L0      VPADDQ       Vx,Hx,Wx
      66 0F D4 L1      VPADDQ       Vx,Hx,Wx       AVX2
      66 0F D5 L0      VPMULLW      Vx,Hx,Wx
      66 0F D5 L1      VPMULLW      Vx,Hx,Wx       AVX2
      66 0F D8 L0      VPSUBUSB     Vx,Hx,Wx
      66 0F D8 L1      VPSUBUSB     Vx,Hx,Wx       AVX2
      66 0F D9 L0      VPSUBUSW     Vx,Hx,Wx
      66 0F D9 L1      VPSUBUSW     Vx,Hx,Wx       AVX2
      66 0F DA L0      VPMINUB      Vx,Hx,Wx
      66 0F DA L1      VPMINUB      Vx,Hx,Wx       AVX2
      66 0F DB L0      VPAND        Vx,Hx,Wx
      66 0F DB L1      VPAND        Vx,Hx,Wx       AVX2
      66 0F DC L0      VPADDUSB     Vx,Hx,Wx
      66 0F DC L1      VPADDUSB     Vx,Hx,Wx       AVX2
      66 0F DD L0      VPADDUSW     Vx,Hx,Wx
      66 0F DD L1      VPADDUSW     Vx,Hx,Wx       AVX2
      66 0F DE L0      VPMAXUB      Vx,Hx,Wx
      66 0F DE L1      VPMAXUB      Vx,Hx,Wx       AVX2
      66 0F DF L0      VPANDN       Vx,Hx,Wx
      66 0F DF L1      VPANDN       Vx,Hx,Wx       AVX2
      66 0F E0 L0      VPAVGB       Vx,Hx,Wx
      66 0F E0 L1      VPAVGB       Vx,Hx,Wx       AVX2
      66 0F E1 L0      VPSRAW       Vx,Hx,Wdq
      66 0F E1 L1      VPSRAW       Vx,Hx,Wdq      AVX2
      66 0F E2 L0      VPSRAD       Vx,Hx,Wdq
      66 0F E2 L1      VPSRAD       Vx,Hx,Wdq      AVX2
      66 0F E3 L0      VPAVGW       Vx,Hx,Wx
      66 0F E3 L1      VPAVGW       Vx,Hx,Wx       AVX2
      66 0F E4 L0      VPMULHUW     Vx,Hx,Wx
      66 0F E4 L1      VPMULHUW     Vx,Hx,Wx       AVX2
      66 0F E5 L0      VPMULHW      Vx,Hx,Wx
      66 0F E5 L1      VPMULHW      Vx,Hx,Wx       AVX2
      66 0F E8 L0      VPSUBSB      Vx,Hx,Wx
      66 0F E8 L1      VPSUBSB      Vx,Hx,Wx       AVX2
      66 0F E9 L0      VPSUBSW      Vx,Hx,Wx
      66 0F E9 L1      VPSUBSW      Vx,Hx,Wx       AVX2
      66 0F EA L0      VPMINSW      Vx,Hx,Wx
      66 0F EA L1      VPMINSW      Vx,Hx,Wx       AVX2
      66 0F EB L0      VPOR         Vx,Hx,Wx
      66 0F EB L1      VPOR         Vx,Hx,Wx       AVX2
      66 0F EC L0      VPADDSB      Vx,Hx,Wx
      66 0F EC L1      VPADDSB      Vx,Hx,Wx       AVX2
      66 0F ED L0      VPADDSW      Vx,Hx,Wx
      66 0F ED L1      VPADDSW      Vx,Hx,Wx       AVX2
      66 0F EE L0      VPMAXSW      Vx,Hx,Wx
      66 0F EE L1      VPMAXSW      Vx,Hx,Wx       AVX2
      66 0F EF L0      VPXOR        Vx,Hx,Wx
      66 0F EF L1      VPXOR        Vx,Hx,Wx       AVX2
      66 0F F1 L0      VPSLLW       Vx,Hx,Wdq
      66 0F F1 L1      VPSLLW       Vx,Hx,Wdq      AVX2
      66 0F F2 L0      VPSLLD       Vx,Hx,Wdq
      66 0F F2 L1      VPSLLD       Vx,Hx,Wdq      AVX2
      66 0F F3 L0      VPSLLQ       Vx,Hx,Wdq
      66 0F F3 L1      VPSLLQ       Vx,Hx,Wdq      AVX2
      66 0F F4 L0      VPMULUDQ     Vx,Hx,Wx
      66 0F F4 L1      VPMULUDQ     Vx,Hx,Wx       AVX2
      66 0F F5 L0      VPMADDWD     Vx,Hx,Wx
      66 0F F5 L1      VPMADDWD     Vx,Hx,Wx       AVX2
      66 0F F6 L0      VPSADBW      Vx,Hx,Wx
      66 0F F6 L1      VPSADBW      Vx,Hx,Wx       AVX2
      66 0F F8 L0      VPSUBB       Vx,Hx,Wx
      66 0F F8 L1      VPSUBB       Vx,Hx,Wx       AVX2
      66 0F F9 L0      VPSUBW       Vx,Hx,Wx
      66 0F F9 L1      VPSUBW       Vx,Hx,Wx       AVX2
      66 0F FA L0      VPSUBD       Vx,Hx,Wx
      66 0F FA L1      VPSUBD       Vx,Hx,Wx       AVX2
      66 0F FB L0      VPSUBQ       Vx,Hx,Wx
      66 0F FB L1      VPSUBQ       Vx,Hx,Wx       AVX2
      66 0F FC L0      VPADDB       Vx,Hx,Wx
      66 0F FC L1      VPADDB       Vx,Hx,Wx       AVX2
      66 0F FD L0      VPADDW       Vx,Hx,Wx
      66 0F FD L1      VPADDW       Vx,Hx,Wx       AVX2
      66 0F FE L0      VPADDD       Vx,Hx,Wx
      66 0F FE L1      VPADDD       Vx,Hx,Wx       AVX2
      66 0F 6C L0      VPUNPCKLQDQ  Vx,Hx,Wx
      66 0F 6C L1      VPUNPCKLQDQ  Vx,Hx,Wx       AVX2
      66 0F 6D L0      VPUNPCKHQDQ  Vx,Hx,Wx
      66 0F 6D L1      VPUNPCKHQDQ  Vx,Hx,Wx       AVX2
      66 0F 70 L0      VPSHUFD      Vx,Wx,Ib
      66 0F 70 L1      VPSHUFD      Vx,Wx,Ib       AVX2
      F3 0F 70 L0      VPSHUFHW     Vx,Wx,Ib
      F3 0F 70 L1      VPSHUFHW     Vx,Wx,Ib       AVX2
      F2 0F 70 L0      VPSHUFLW     Vx,Wx,Ib
      F2 0F 70 L1      VPSHUFLW     Vx,Wx,Ib       AVX2
      66 0F 71 /2 reg L0 VPSRLW       Hx,Ux,Ib
      66 0F 71 /2 reg L1 VPSRLW       Hx,Ux,Ib       AVX2
      66 0F 71 /4 reg L0 VPSRAW       Hx,Ux,Ib
      66 0F 71 /4 reg L1 VPSRAW       Hx,Ux,Ib       AVX2
      66 0F 71 /6 reg L0 VPSLLW       Hx,Ux,Ib
      66 0F 71 /6 reg L1 VPSLLW       Hx,Ux,Ib       AVX2
      66 0F 72 /2 reg L0 VPSRLD       Hx,Ux,Ib
      66 0F 72 /2 reg L1 VPSRLD       Hx,Ux,Ib       AVX2
      66 0F 72 /4 reg L0 VPSRAD       Hx,Ux,Ib
      66 0F 72 /4 reg L1 VPSRAD       Hx,Ux,Ib       AVX2
      66 0F 72 /6 reg L0 VPSLLD       Hx,Ux,Ib
      66 0F 72 /6 reg L1 VPSLLD       Hx,Ux,Ib       AVX2
      66 0F 73 /2 reg L0 VPSRLQ       Hx,Ux,Ib
      66 0F 73 /2 reg L1 VPSRLQ       Hx,Ux,Ib       AVX2
      66 0F 73 /6 reg L0 VPSLLQ       Hx,Ux,Ib
      66 0F 73 /6 reg L1 VPSLLQ       Hx,Ux,Ib       AVX2
      66 0F 73 /3 reg L0 VPSRLDQ      Hx,Ux,Ib
      66 0F 73 /3 reg L1 VPSRLDQ      Hx,Ux,Ib       AVX2
      66 0F 73 /7 reg L0 VPSLLDQ      Hx,Ux,Ib
      66 0F 73 /7 reg L1 VPSLLDQ      Hx,Ux,Ib       AVX2
      66 0F 38 00 L0   VPSHUFB      Vx,Hx,Wx
      66 0F 38 00 L1   VPSHUFB      Vx,Hx,Wx       AVX2
      66 0F 38 01 L0   VPHADDW      Vx,Hx,Wx
      66 0F 38 01 L1   VPHADDW      Vx,Hx,Wx       AVX2
      66 0F 38 02 L0   VPHADDD      Vx,Hx,Wx
      66 0F 38 02 L1   VPHADDD      Vx,Hx,Wx       AVX2
      66 0F 38 03 L0   VPHADDSW     Vx,Hx,Wx
      66 0F 38 03 L1   VPHADDSW     Vx,Hx,Wx       AVX2
      66 0F 38 04 L0   VPMADDUBSW   Vx,Hx,Wx
      66 0F 38 04 L1   VPMADDUBSW   Vx,Hx,Wx       AVX2
      66 0F 38 05 L0   VPHSUBW      Vx,Hx,Wx
      66 0F 38 05 L1   VPHSUBW      Vx,Hx,Wx       AVX2
      66 0F 38 06 L0   VPHSUBD      Vx,Hx,Wx
      66 0F 38 06 L1   VPHSUBD      Vx,Hx,Wx       AVX2
      66 0F 38 07 L0   VPHSUBSW     Vx,Hx,Wx
      66 0F 38 07 L1   VPHSUBSW     Vx,Hx,Wx       AVX2
      66 0F 38 08 L0   VPSIGNB      Vx,Hx,Wx
      66 0F 38 08 L1   VPSIGNB      Vx,Hx,Wx       AVX2
      66 0F 38 09 L0   VPSIGNW      Vx,Hx,Wx
      66 0F 38 09 L1   VPSIGNW      Vx,Hx,Wx       AVX2
      66 0F 38 0A L0   VPSIGND      Vx,Hx,Wx
      66 0F 38 0A L1   VPSIGND      Vx,Hx,Wx       AVX2
      66 0F 38 0B L0   VPMULHRSW    Vx,Hx,Wx
      66 0F 38 0B L1   VPMULHRSW    Vx,Hx,Wx       AVX2
      66 0F 38 1C L0   VPABSB       Vx,Wx
      66 0F 38 1C L1   VPABSB       Vx,Wx          AVX2
      66 0F 38 1D L0   VPABSW       Vx,Wx
      66 0F 38 1D L1   VPABSW       Vx,Wx          AVX2
      66 0F 38 1E L0   VPABSD       Vx,Wx
      66 0F 38 1E L1   VPABSD       Vx,Wx          AVX2
      66 0F 3A 0F L0   VPALIGNR     Vx,Hx,Wx,Ib
      66 0F 3A 0F L1   VPALIGNR     Vx,Hx,Wx,Ib    AVX2
      66 0F D7 reg L0  VPMOVMSKB    Gy,Ux
      66 0F D7 reg L1  VPMOVMSKB    Gy,Ux          AVX2
      66 0F 38 28 L0   VPMULDQ      Vx,Hx,Wx
      66 0F 38 28 L1   VPMULDQ      Vx,Hx,Wx       AVX2
      66 0F 38 29 L0   VPCMPEQQ     Vx,Hx,Wx
      66 0F 38 29 L1   VPCMPEQQ     Vx,Hx,Wx       AVX2
      66 0F 38 2B L0   VPACKUSDW    Vx,Hx,Wx
      66 0F 38 2B L1   VPACKUSDW    Vx,Hx,Wx       AVX2
      66 0F 38 37 L0   VPCMPGTQ     Vx,Hx,Wx
      66 0F 38 37 L1   VPCMPGTQ     Vx,Hx,Wx       AVX2
      66 0F 38 38 L0   VPMINSB      Vx,Hx,Wx
      66 0F 38 38 L1   VPMINSB      Vx,Hx,Wx       AVX2
      66 0F 38 39 L0   VPMINSD      Vx,Hx,Wx
      66 0F 38 39 L1   VPMINSD      Vx,Hx,Wx       AVX2
      66 0F 38 3A L0   VPMINUW      Vx,Hx,Wx
      66 0F 38 3A L1   VPMINUW      Vx,Hx,Wx       AVX2
      66 0F 38 3B L0   VPMINUD      Vx,Hx,Wx
      66 0F 38 3B L1   VPMINUD      Vx,Hx,Wx       AVX2
      66 0F 38 3C L0   VPMAXSB      Vx,Hx,Wx
      66 0F 38 3C L1   VPMAXSB      Vx,Hx,Wx       AVX2
      66 0F 38 3D L0   VPMAXSD      Vx,Hx,Wx
      66 0F 38 3D L1   VPMAXSD      Vx,Hx,Wx       AVX2
      66 0F 38 3E L0   VPMAXUW      Vx,Hx,Wx
      66 0F 38 3E L1   VPMAXUW      Vx,Hx,Wx       AVX2
      66 0F 38 3F L0   VPMAXUD      Vx,Hx,Wx
      66 0F 38 3F L1   VPMAXUD      Vx,Hx,Wx       AVX2
      66 0F 38 40 L0   VPMULLD      Vx,Hx,Wx
      66 0F 38 40 L1   VPMULLD      Vx,Hx,Wx       AVX2
      66 0F 38 41 L0   VPHMINPOSUW  Vx,Wx
      66 0F 38 20 L0   VPMOVSXBW    Vx,Wq
      66 0F 38 20 L1   VPMOVSXBW    Vx,Wdq         AVX2
      66 0F 38 21 L0   VPMOVSXBD    Vx,Wd
      66 0F 38 21 L1   VPMOVSXBD    Vx,Wq          AVX2
      66 0F 38 22 L0   VPMOVSXBQ    Vx,Ww
      66 0F 38 22 L1   VPMOVSXBQ    Vx,Wd          AVX2
      66 0F 38 23 L0   VPMOVSXWD    Vx,Wq
      66 0F 38 23 L1   VPMOVSXWD    Vx,Wdq         AVX2
      66 0F 38 24 L0   VPMOVSXWQ    Vx,Wd
      66 0F 38 24 L1   VPMOVSXWQ    Vx,Wq          AVX2
      66 0F 38 25 L0   VPMOVSXDQ    Vx,Wq
      66 0F 38 25 L1   VPMOVSXDQ    Vx,Wdq         AVX2
      66 0F 38 30 L0   VPMOVZXBW    Vx,Wq
      66 0F 38 30 L1   VPMOVZXBW    Vx,Wdq         AVX2
      66 0F 38 31 L0   VPMOVZXBD    Vx,Wd
      66 0F 38 31 L1   VPMOVZXBD    Vx,Wq          AVX2
      66 0F 38 32 L0   VPMOVZXBQ    Vx,Ww
      66 0F 38 32 L1   VPMOVZXBQ    Vx,Wd          AVX2
      66 0F 38 33 L0   VPMOVZXWD    Vx,Wq
      66 0F 38 33 L1   VPMOVZXWD    Vx,Wdq         AVX2
      66 0F 38 34 L0   VPMOVZXWQ    Vx,Wd
      66 0F 38 34 L1   VPMOVZXWQ    Vx,Wq          AVX2
      66 0F 38 35 L0   VPMOVZXDQ    Vx,Wq
      66 0F 38 35 L1   VPMOVZXDQ    Vx,Wdq         AVX2
      66 0F 38 2A mem L0 VMOVNTDQA    Vx,Mx  aligned
      66 0F 38 2A mem L1 VMOVNTDQA    Vx,Mx          AVX2  aligned
      66 0F 3A 0E L0   VPBLENDW     Vx,Hx,Wx,Ib
      66 0F 3A 0E L1   VPBLENDW     Vx,Hx,Wx,Ib    AVX2
      66 0F 3A 42 L0   VMPSADBW     Vx,Hx,Wx,Ib
      66 0F 3A 42 L1   VMPSADBW     Vx,Hx,Wx,Ib    AVX2
      66 0F 3A 4C W0 L0 VPBLENDVB    Vx,Hx,Wx,Lx
      66 0F 3A 4C W0 L1 VPBLENDVB    Vx,Hx,Wx,Lx    AVX2
      ; Integer, 128 bits only or both with AVX
      66 0F 6E W0 L0   VMOVD        Vdq,Ed
      66 0F 6E W1 L0   VMOVQ        Vdq,Eq
      66 0F 7E W0 L0   VMOVD        Ed,Vdq
      66 0F 7E W1 L0   VMOVQ        Eq,Vdq
      F3 0F 7E L0      VMOVQ        Vq,Wq
      66 0F D6 L0      VMOVQ        Wq,Vq
      66 0F 6F         VMOVDQA      Vx,Wx  aligned
      66 0F 7F         VMOVDQA      Wx,Vx  aligned
      F3 0F 6F         VMOVDQU      Vx,Wx
      F3 0F 7F         VMOVDQU      Wx,Vx
      66 0F C4 L0      VPINSRW      Vdq,Hdq,RdMw,Ib
      66 0F C5 reg L0  VPEXTRW      Gd,Udq,Ib
      66 0F E7 mem     VMOVNTDQ     Mx,Vx  aligned
      66 0F F7 reg L0  VMASKMOVDQU  Vdq,Udq
      F2 0F F0 mem     VLDDQU       Vx,Mx
      66 0F 38 17      VPTEST       Vx,Wx          w=OSZAPC
      66 0F 3A 14 L0   VPEXTRB      RdMb,Vdq,Ib
      66 0F 3A 15 L0   VPEXTRW      RdMw,Vdq,Ib
      66 0F 3A 16 W0 L0 VPEXTRD      Ed,Vdq,Ib
      66 0F 3A 16 W1 L0 VPEXTRQ      Eq,Vdq,Ib
      66 0F 3A 17 L0   VEXTRACTPS   Ed,Vdq,Ib
      66 0F 3A 20 L0   VPINSRB      Vdq,Hdq,RdMb,Ib
      66 0F 3A 21 L0   VINSERTPS    Vdq,Hdq,Wd,Ib
      66 0F 3A 22 W0 L0 VPINSRD      Vdq,Hdq,Ed,Ib
      66 0F 3A 22 W1 L0 VPINSRQ      Vdq,Hdq,Eq,Ib
      66 0F 3A 60 L0   VPCMPESTRM   Vdq,Wdq,Ib     w=OSZAPC
      66 0F 3A 61 L0   VPCMPESTRI   Vdq,Wdq,Ib     w=OSZAPC
      66 0F 3A 62 L0   VPCMPISTRM   Vdq,Wdq,Ib     w=OSZAPC
      66 0F 3A 63 L0   VPCMPISTRI   Vdq,Wdq,Ib     w=OSZAPC
      66 0F 38 DB L0   VAESIMC      Vdq,Wdq      AES
      66 0F 38 DC L0   VAESENC      Vdq,Hdq,Wdq  AES
      66 0F 38 DD L0   VAESENCLAST  Vdq,Hdq,Wdq  AES
      66 0F 38 DE L0   VAESDEC      Vdq,Hdq,Wdq  AES
      66 0F 38 DF L0   VAESDECLAST  Vdq,Hdq,Wdq  AES
      66 0F 3A DF L0   VAESKEYGENASSIST Vdq,Wdq,Ib AES
      66 0F 3A 44 L0   VPCLMULQDQ   Vdq,Hdq,Wdq,Ib PCLMULQDQ
      NP 0F 77 L0      VZEROUPPER   -
      NP 0F 77 L1      VZEROALL     -
      NP 0F AE /2 mem L0 VLDMXCSR     Md
      NP 0F AE /3 mem L0 VSTMXCSR     Md
      ; Single and double precision
      NP 0F 10         VMOVUPS      Vx,Wx
      NP 0F 11         VMOVUPS      Wx,Vx
      NP 0F 28         VMOVAPS      Vx,Wx  aligned
      NP 0F 29         VMOVAPS      Wx,Vx  aligned
      NP 0F 14         VUNPCKLPS    Vx,Hx,Wx
      NP 0F 15         VUNPCKHPS    Vx,Hx,Wx
      NP 0F 2B mem     VMOVNTPS     Mx,Vx  aligned
      NP 0F 12 mem L0  VMOVLPS      Vdq,Hdq,Mq
      NP 0F 13 mem L0  VMOVLPS      Mq,Vq
      NP 0F 16 mem L0  VMOVHPS      Vdq,Hdq,Mq
      NP 0F 17 mem L0  VMOVHPS      Mq,Vdq
      NP 0F 50 reg     VMOVMSKPS    Gy,Ux
      NP 0F C6         VSHUFPS      Vx,Hx,Wx,Ib
      66 0F 10         VMOVUPD      Vx,Wx
      66 0F 11         VMOVUPD      Wx,Vx
      66 0F 28         VMOVAPD      Vx,Wx  aligned
      66 0F 29         VMOVAPD      Wx,Vx  aligned
      66 0F 14         VUNPCKLPD    Vx,Hx,Wx
      66 0F 15         VUNPCKHPD    Vx,Hx,Wx
      66 0F 2B mem     VMOVNTPD     Mx,Vx  aligned
      66 0F 12 mem L0  VMOVLPD      Vdq,Hdq,Mq
      66 0F 13 mem L0  VMOVLPD      Mq,Vq
      66 0F 16 mem L0  VMOVHPD      Vdq,Hdq,Mq
      66 0F 17 mem L0  VMOVHPD      Mq,Vdq
      66 0F 50 reg     VMOVMSKPD    Gy,Ux
      66 0F C6         VSHUFPD      Vx,Hx,Wx,Ib
      NP 0F 12 reg L0  VMOVHLPS     Vdq,Hdq,Udq
      NP 0F 16 reg L0  VMOVLHPS     Vdq,Hdq,Uq
      F3 0F 12         VMOVSLDUP    Vx,Wx
      F3 0F 16         VMOVSHDUP    Vx,Wx
      F2 0F 12 L0      VMOVDDUP     Vx,Wq
      F2 0F 12 L1      VMOVDDUP     Vx,Wx
      F3 0F 10 mem     VMOVSS       Vss,Md
      F3 0F 10 reg     VMOVSS       Vdq,Hdq,Udq
      F3 0F 11 mem     VMOVSS       Md,Vss
      F3 0F 11 reg     VMOVSS       Udq,Hdq,Vdq
      F3 0F 2A         VCVTSI2SS    Vss,Hss,Ey
      F3 0F 2C         VCVTTSS2SI   Gy,Wss
      F3 0F 2D         VCVTSS2SI    Gy,Wss
      F2 0F 10 mem     VMOVSD       Vsd,Mq
      F2 0F 10 reg     VMOVSD       Vdq,Hdq,Udq
      F2 0F 11 mem     VMOVSD       Mq,Vsd
      F2 0F 11 reg     VMOVSD       Udq,Hdq,Vdq
      F2 0F 2A         VCVTSI2SD    Vsd,Hsd,Ey
      F2 0F 2C         VCVTTSD2SI   Gy,Wsd
      F2 0F 2D         VCVTSD2SI    Gy,Wsd
      NP 0F 2E         VUCOMISS     Vss,Wss        w=OSZAPC
      66 0F 2E         VUCOMISD     Vsd,Wsd        w=OSZAPC
      NP 0F 2F         VCOMISS      Vss,Wss        w=OSZAPC
      66 0F 2F         VCOMISD      Vsd,Wsd        w=OSZAPC
      NP 0F 51         VSQRTPS      Vx,Wx
      66 0F 51         VSQRTPD      Vx,Wx
      F3 0F 51         VSQRTSS      Vss,Hss,Wss
      F2 0F 51         VSQRTSD      Vsd,Hsd,Wsd
      NP 0F 52         VRSQRTPS     Vx,Wx
      F3 0F 52         VRSQRTSS     Vss,Hss,Wss
      NP 0F 53         VRCPPS       Vx,Wx
      F3 0F 53         VRCPSS       Vss,Hss,Wss
      NP 0F 54         VANDPS       Vx,Hx,Wx
      66 0F 54         VANDPD       Vx,Hx,Wx
      NP 0F 55         VANDNPS      Vx,Hx,Wx
      66 0F 55         VANDNPD      Vx,Hx,Wx
      NP 0F 56         VORPS        Vx,Hx,Wx
      66 0F 56         VORPD        Vx,Hx,Wx
      NP 0F 57         VXORPS       Vx,Hx,Wx
      66 0F 57         VXORPD       Vx,Hx,Wx
      NP 0F 58         VADDPS       Vx,Hx,Wx
      66 0F 58         VADDPD       Vx,Hx,Wx
      F3 0F 58         VADDSS       Vss,Hss,Wss
      F2 0F 58         VADDSD       Vsd,Hsd,Wsd
      NP 0F 59         VMULPS       Vx,Hx,Wx
      66 0F 59         VMULPD       Vx,Hx,Wx
      F3 0F 59         VMULSS       Vss,Hss,Wss
      F2 0F 59         VMULSD       Vsd,Hsd,Wsd
      NP 0F 5C         VSUBPS       Vx,Hx,Wx
      66 0F 5C         VSUBPD       Vx,Hx,Wx
      F3 0F 5C         VSUBSS       Vss,Hss,Wss
      F2 0F 5C         VSUBSD       Vsd,Hsd,Wsd
      NP 0F 5D         VMINPS       Vx,Hx,Wx
      66 0F 5D         VMINPD       Vx,Hx,Wx
      F3 0F 5D         VMINSS       Vss,Hss,Wss
      F2 0F 5D         VMINSD       Vsd,Hsd,Wsd
      NP 0F 5E         VDIVPS       Vx,Hx,Wx
      66 0F 5E         VDIVPD       Vx,Hx,Wx
      F3 0F 5E         VDIVSS       Vss,Hss,Wss
      F2 0F 5E         VDIVSD       Vsd,Hsd,Wsd
      NP 0F 5F         VMAXPS       Vx,Hx,Wx
      66 0F 5F         VMAXPD       Vx,Hx,Wx
      F3 0F 5F         VMAXSS       Vss,Hss,Wss
      F2 0F 5F         VMAXSD       Vsd,Hsd,Wsd
      NP 0F C2         VCMPPS       Vx,Hx,Wx,Ib
      66 0F C2         VCMPPD       Vx,Hx,Wx,Ib
      F3 0F C2         VCMPSS       Vss,Hss,Wss,Ib
      F2 0F C2         VCMPSD       Vsd,Hsd,Wsd,Ib
      NP 0F 5A L0      VCVTPS2PD    Vx,Wq
      NP 0F 5A L1      VCVTPS2PD    Vx,Wdq
      66 0F 5A         VCVTPD2PS    Vdq,Wx
      F3 0F 5A         VCVTSS2SD    Vsd,Hsd,Wss
      F2 0F 5A         VCVTSD2SS    Vss,Hss,Wsd
      NP 0F 5B         VCVTDQ2PS    Vx,Wx
      66 0F 5B         VCVTPS2DQ    Vx,Wx
      F3 0F 5B         VCVTTPS2DQ   Vx,Wx
      66 0F E6         VCVTTPD2DQ   Vdq,Wx
      F2 0F E6         VCVTPD2DQ    Vdq,Wx
      F3 0F E6 L0      VCVTDQ2PD    Vx,Wq
      F3 0F E6 L1      VCVTDQ2PD    Vx,Wdq
      66 0F 7C         VHADDPD      Vx,Hx,Wx
      F2 0F 7C         VHADDPS      Vx,Hx,Wx
      66 0F 7D         VHSUBPD      Vx,Hx,Wx
      F2 0F 7D         VHSUBPS      Vx,Hx,Wx
      66 0F D0         VADDSUBPD    Vx,Hx,Wx
      F2 0F D0         VADDSUBPS    Vx,Hx,Wx
      66 0F 3A 08      VROUNDPS     Vx,Wx,Ib
      66 0F 3A 09      VROUNDPD     Vx,Wx,Ib
      66 0F 3A 0A      VROUNDSS     Vss,Hss,Wss,Ib
      66 0F 3A 0B      VROUNDSD     Vsd,Hsd,Wsd,Ib
      66 0F 3A 0C      VBLENDPS     Vx,Hx,Wx,Ib
      66 0F 3A 0D      VBLENDPD     Vx,Hx,Wx,Ib
      66 0F 3A 4A W0   VBLENDVPS    Vx,Hx,Wx,Lx
      66 0F 3A 4B W0   VBLENDVPD    Vx,Hx,Wx,Lx
      66 0F 3A 40      VDPPS        Vx,Hx,Wx,Ib
      66 0F 3A 41 L0   VDPPD        Vx,Hx,Wx,Ib
      ; New in AVX and AVX2
      66 0F 38 0C W0   VPERMILPS    Vx,Hx,Wx
      66 0F 38 0D W0   VPERMILPD    Vx,Hx,Wx
      66 0F 3A 04 W0   VPERMILPS    Vx,Wx,Ib
      66 0F 3A 05 W0   VPERMILPD    Vx,Wx,Ib
      66 0F 38 0E W0   VTESTPS      Vx,Wx          w=OSZAPC
      66 0F 38 0F W0   VTESTPD      Vx,Wx          w=OSZAPC
      66 0F 38 18 W0 mem VBROADCASTSS Vx,Md
      66 0F 38 18 W0 reg VBROADCASTSS Vx,Udq         AVX2
      66 0F 38 19 W0 mem L1 VBROADCASTSD Vx,Mq
      66 0F 38 19 W0 reg L1 VBROADCASTSD Vx,Udq         AVX2
      66 0F 38 1A W0 mem L1 VBROADCASTF128 Vx,Mdq
      66 0F 38 2C W0 mem VMASKMOVPS   Vx,Hx,Mx
      66 0F 38 2E W0 mem VMASKMOVPS   Mx,Hx,Vx
      66 0F 38 2D W0 mem VMASKMOVPD   Vx,Hx,Mx
      66 0F 38 2F W0 mem VMASKMOVPD   Mx,Hx,Vx
      66 0F 3A 06 W0 L1 VPERM2F128   Vx,Hx,Wx,Ib
      66 0F 3A 18 W0 L1 VINSERTF128  Vx,Hx,Wdq,Ib
      66 0F 3A 19 W0 L1 VEXTRACTF128 Wdq,Vx,Ib
      @ AVX2 sse vex
      66 0F 3A 46 W0 L1 VPERM2I128   Vx,Hx,Wx,Ib
      66 0F 3A 38 W0 L1 VINSERTI128  Vx,Hx,Wdq,Ib
      66 0F 3A 39 W0 L1 VEXTRACTI128 Wdq,Vx,Ib
      66 0F 38 5A W0 mem L1 VBROADCASTI128 Vx,Mdq
      66 0F 38 78 W0   VPBROADCASTB Vx,Wb
      66 0F 38 79 W0   VPBROADCASTW Vx,Ww
      66 0F 38 58 W0   VPBROADCASTD Vx,Wd
      66 0F 38 59 W0   VPBROADCASTQ Vx,Wq
      66 0F 38 36 W0 L1 VPERMD       Vx,Hx,Wx
      66 0F 38 16 W0 L1 VPERMPS      Vx,Hx,Wx
      66 0F 3A 00 W1 L1 VPERMQ       Vx,Wx,Ib
      66 0F 3A 01 W1 L1 VPERMPD      Vx,Wx,Ib
      66 0F 38 8C W0 mem VPMASKMOVD   Vx,Hx,Mx
      66 0F 38 8E W0 mem VPMASKMOVD   Mx,Hx,Vx
      66 0F 38 45 W0   VPSRLVD      Vx,Hx,Wx
      66 0F 38 47 W0   VPSLLVD      Vx,Hx,Wx
      66 0F 38 8C W1 mem VPMASKMOVQ   Vx,Hx,Mx
      66 0F 38 8E W1 mem VPMASKMOVQ   Mx,Hx,Vx
      66 0F 38 45 W1   VPSRLVQ      Vx,Hx,Wx
      66 0F 38 47 W1   VPSLLVQ      Vx,Hx,Wx
      66 0F 38 46 W0   VPSRAVD      Vx,Hx,Wx
      66 0F 3A 02 W0   VPBLENDD     Vx,Hx,Wx,Ib
      ; Gathers: the index is as long as the row says (Mvx: vector of 16, or 32 with L)
      66 0F 38 90 W0 mem VPGATHERDD   Vx,Mvd,Hx      vsib
      66 0F 38 90 W1 mem VPGATHERDQ   Vx,Mvq,Hx      vsib
      66 0F 38 91 W0 mem VPGATHERQD   Vdq,Mvd,Hdq    vsib
      66 0F 38 91 W1 mem VPGATHERQQ   Vx,Mvq,Hx      vsib
      66 0F 38 92 W0 mem VGATHERDPS   Vx,Mvd,Hx      vsib
      66 0F 38 92 W1 mem VGATHERDPD   Vx,Mvq,Hx      vsib
      66 0F 38 93 W0 mem VGATHERQPS   Vdq,Mvd,Hdq    vsib
      66 0F 38 93 W1 mem VGATHERQPD   Vx,Mvq,Hx      vsib
      @ FMA sse vex
      66 0F 38 96 W0   VFMADDSUB132PS Vx,Hx,Wx
      66 0F 38 96 W1   VFMADDSUB132PD Vx,Hx,Wx
      66 0F 38 97 W0   VFMSUBADD132PS Vx,Hx,Wx
      66 0F 38 97 W1   VFMSUBADD132PD Vx,Hx,Wx
      66 0F 38 98 W0   VFMADD132PS  Vx,Hx,Wx
      66 0F 38 98 W1   VFMADD132PD  Vx,Hx,Wx
      66 0F 38 99 W0   VFMADD132SS  Vss,Hss,Wss
      66 0F 38 99 W1   VFMADD132SD  Vsd,Hsd,Wsd
      66 0F 38 9A W0   VFMSUB132PS  Vx,Hx,Wx
      66 0F 38 9A W1   VFMSUB132PD  Vx,Hx,Wx
      66 0F 38 9B W0   VFMSUB132SS  Vss,Hss,Wss
      66 0F 38 9B W1   VFMSUB132SD  Vsd,Hsd,Wsd
      66 0F 38 9C W0   VFNMADD132PS Vx,Hx,Wx
      66 0F 38 9C W1   VFNMADD132PD Vx,Hx,Wx
      66 0F 38 9D W0   VFNMADD132SS Vss,Hss,Wss
      66 0F 38 9D W1   VFNMADD132SD Vsd,Hsd,Wsd
      66 0F 38 9E W0   VFNMSUB132PS Vx,Hx,Wx
      66 0F 38 9E W1   VFNMSUB132PD Vx,Hx,Wx
      66 0F 38 9F W0   VFNMSUB132SS Vss,Hss,Wss
      66 0F 38 9F W1   VFNMSUB132SD Vsd,Hsd,Wsd
      66 0F 38 A6 W0   VFMADDSUB213PS Vx,Hx,Wx
      66 0F 38 A6 W1   VFMADDSUB213PD Vx,Hx,Wx
      66 0F 38 A7 W0   VFMSUBADD213PS Vx,Hx,Wx
      66 0F 38 A7 W1   VFMSUBADD213PD Vx,Hx,Wx
      66 0F 38 A8 W0   VFMADD213PS  Vx,Hx,Wx
      66 0F 38 A8 W1   VFMADD213PD  Vx,Hx,Wx
      66 0F 38 A9 W0   VFMADD213SS  Vss,Hss,Wss
      66 0F 38 A9 W1   VFMADD213SD  Vsd,Hsd,Wsd
      66 0F 38 AA W0   VFMSUB213PS  Vx,Hx,Wx
      66 0F 38 AA W1   VFMSUB213PD  Vx,Hx,Wx
      66 0F 38 AB W0   VFMSUB213SS  Vss,Hss,Wss
      66 0F 38 AB W1   VFMSUB213SD  Vsd,Hsd,Wsd
      66 0F 38 AC W0   VFNMADD213PS Vx,Hx,Wx
      66 0F 38 AC W1   VFNMADD213PD Vx,Hx,Wx
      66 0F 38 AD W0   VFNMADD213SS Vss,Hss,Wss
      66 0F 38 AD W1   VFNMADD213SD Vsd,Hsd,Wsd
      66 0F 38 AE W0   VFNMSUB213PS Vx,Hx,Wx
      66 0F 38 AE W1   VFNMSUB213PD Vx,Hx,Wx
      66 0F 38 AF W0   VFNMSUB213SS Vss,Hss,Wss
      66 0F 38 AF W1   VFNMSUB213SD Vsd,Hsd,Wsd
      66 0F 38 B6 W0   VFMADDSUB231PS Vx,Hx,Wx
      66 0F 38 B6 W1   VFMADDSUB231PD Vx,Hx,Wx
      66 0F 38 B7 W0   VFMSUBADD231PS Vx,Hx,Wx
      66 0F 38 B7 W1   VFMSUBADD231PD Vx,Hx,Wx
      66 0F 38 B8 W0   VFMADD231PS  Vx,Hx,Wx
      66 0F 38 B8 W1   VFMADD231PD  Vx,Hx,Wx
      66 0F 38 B9 W0   VFMADD231SS  Vss,Hss,Wss
      66 0F 38 B9 W1   VFMADD231SD  Vsd,Hsd,Wsd
      66 0F 38 BA W0   VFMSUB231PS  Vx,Hx,Wx
      66 0F 38 BA W1   VFMSUB231PD  Vx,Hx,Wx
      66 0F 38 BB W0   VFMSUB231SS  Vss,Hss,Wss
      66 0F 38 BB W1   VFMSUB231SD  Vsd,Hsd,Wsd
      66 0F 38 BC W0   VFNMADD231PS Vx,Hx,Wx
      66 0F 38 BC W1   VFNMADD231PD Vx,Hx,Wx
      66 0F 38 BD W0   VFNMADD231SS Vss,Hss,Wss
      66 0F 38 BD W1   VFNMADD231SD Vsd,Hsd,Wsd
      66 0F 38 BE W0   VFNMSUB231PS Vx,Hx,Wx
      66 0F 38 BE W1   VFNMSUB231PD Vx,Hx,Wx
      66 0F 38 BF W0   VFNMSUB231SS Vss,Hss,Wss
      66 0F 38 BF W1   VFNMSUB231SD Vsd,Hsd,Wsd
      @ F16C sse vex
      66 0F 38 13 W0 L0 VCVTPH2PS    Vx,Wq
      66 0F 38 13 W0 L1 VCVTPH2PS    Vx,Wdq
      66 0F 3A 1D W0 L0 VCVTPS2PH    Wq,Vx,Ib
      66 0F 3A 1D W0 L1 VCVTPS2PH    Wdq,Vx,Ib
      @ BMI1 vex
      NP 0F 38 F2 L0   ANDN         Gy,By,Ey       w=OSZC u=AP
      NP 0F 38 F3 /1 L0 BLSR         By,Ey          w=OSZC u=AP
      NP 0F 38 F3 /2 L0 BLSMSK       By,Ey          w=OSZC u=AP
      NP 0F 38 F3 /3 L0 BLSI         By,Ey          w=OSZC u=AP
      NP 0F 38 F7 L0   BEXTR        Gy,Ey,By       w=OZC u=SAP
      @ BMI2 vex
      NP 0F 38 F5 L0   BZHI         Gy,Ey,By       w=OSZC u=AP
      F3 0F 38 F5 L0   PEXT         Gy,By,Ey
      F2 0F 38 F5 L0   PDEP         Gy,By,Ey
      F2 0F 38 F6 L0   MULX         Gy,By,Ey
      66 0F 38 F7 L0   SHLX         Gy,Ey,By
      F2 0F 38 F7 L0   SHRX         Gy,Ey,By
      F3 0F 38 F7 L0   SARX         Gy,Ey,By
      F2 0F 3A F0 L0   RORX         Gy,Ey,Ib
      """;

  private VexRows() {}
}
