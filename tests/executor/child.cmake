# The child's side in this process, with the real runtime.
lathe_add_test(executor_test SOURCES compare_models_test.cc compressed_size_test.cc error_target_test.cc event_writer_test.cc job_test.cc
    optimize_job_test.cc output_score_test.cc provenance_test.cc quantization_choice_test.cc targets_test.cc
  DEPS lathe::executor lathe::supervisor lathe::model_builder lathe::test_support lathe::wire lathe_npz_writer PkgConfig::ZSTD
  LABELS litert TIMEOUT 600)
lathe_add_test(odd_files_test SOURCES odd_files_test.cc
  DEPS lathe::executor lathe::model_builder lathe::test_support lathe::wire LABELS litert TIMEOUT 600)
lathe_add_test(large_files_test SOURCES large_files_test.cc
  DEPS lathe::executor lathe::model_builder lathe::test_support lathe::wire lathe_npz_writer LABELS litert TIMEOUT 600)
# Passes against the runtime, which only the executor links together.
lathe_add_test(clean_up_test SOURCES clean_up_test.cc
  DEPS lathe::optimizer lathe::runtime lathe::model_builder LABELS litert TIMEOUT 300)
lathe_add_test(weight_schemes_test SOURCES weight_schemes_test.cc
  DEPS lathe::optimizer lathe::runtime lathe::model_builder lathe::test_support LABELS litert TIMEOUT 300)
lathe_add_test(integer_kernels_test SOURCES integer_kernels_test.cc
  DEPS lathe::optimizer lathe::runtime lathe::model_builder lathe::test_support LABELS litert)
